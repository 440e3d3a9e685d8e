import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ConfigError, KubestepError, UsageError } from '../../lib/base/errors.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { config } from '../../scripts/config.mts'
import { outputOf } from '../output.ts'

const GOLDEN = fileURLToPath(new URL('../golden/v1.36.2/', import.meta.url))

interface Said {
  readonly result: string
  readonly warnings: readonly string[]
}

async function run(...argv: readonly string[]): Promise<Said> {
  let result = ''
  const warnings: string[] = []
  const output = outputOf({
    warn: line => void warnings.push(line),
    result: text => {
      result += text
    },
  })
  await config.run({ ...parseArguments(config.command, argv), name: 'config', output })
  return { result, warnings }
}

test('config validate says ok, and warns of what is old', async () => {
  assert.deepEqual(await run('validate', '--config', join(GOLDEN, 'validate/ok-minimal.yaml')), {
    result: 'ok\n',
    warnings: [],
  })
  const { result, warnings } = await run('validate', '--config', join(GOLDEN, 'validate/v1beta3.yaml'))
  assert.equal(result, 'ok\n')
  assert.match(warnings.join(), /v1beta3 is deprecated/)
})

test('config validate fails with every fault', async () => {
  await assert.rejects(
    run('validate', '--config', join(GOLDEN, 'validate/etcd-ext-rel.yaml')),
    (error: unknown) => error instanceof ConfigError && error.faults.length === 3,
  )
})

test('config validate says what is wrong with the file itself', async () => {
  await assert.rejects(run('validate', '--config', GOLDEN), /it is a folder; name a file in it/)
  await assert.rejects(run('validate', '--config', join(GOLDEN, 'none.yaml')), /it does not exist/)
  await assert.rejects(run('validate'), UsageError)
})

test('config migrate writes a file that validates', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep test '))
  try {
    const file = join(folder, 'new.yaml')
    const { result } = await run('migrate', '--old-config', join(GOLDEN, 'config/b3.yaml'), '--new-config', file)
    assert.equal(result, '')
    assert.equal(statSync(file).mode & 0o777, 0o644)
    assert.match(readFileSync(file, 'utf8'), /^apiVersion: kubeadm.k8s.io\/v1beta4\n/)
    assert.equal((await run('validate', '--config', file)).result, 'ok\n')
    const again = await run('migrate', '--old-config', file)
    assert.equal(again.result, readFileSync(file, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('config migrate writes nothing when there are faults', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-'))
  try {
    const [old, fresh] = [join(folder, 'old.yaml'), join(folder, 'new.yaml')]
    writeFileSync(old, 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nfoo: 1\n')
    await assert.rejects(run('migrate', '--old-config', old, '--new-config', fresh), ConfigError)
    assert.equal(statSync(fresh, { throwIfNoEntry: false }), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('config print refuses unknown component configurations', async () => {
  await assert.rejects(
    run('print', 'init-defaults', '--component-configs', 'KubeletConfiguration,Foo'),
    (error: unknown) => error instanceof KubestepError && /"Foo".*KubeProxyConfiguration/.test(error.message),
  )
})

test('config print init-defaults prints two documents', async () => {
  const { result } = await run('print', 'init-defaults')
  assert.equal(result, readFileSync(join(GOLDEN, 'config/init-defaults.yaml'), 'utf8'))
})
