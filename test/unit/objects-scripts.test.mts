import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { KubestepError } from '../../lib/base/errors.ts'
import { parseToken } from '../../lib/base/token.ts'
import type { Flags } from '../../lib/cli/options.ts'
import type { Script } from '../../lib/cli/script.ts'
import { kubeconfigText } from '../../lib/kubeadm/credentials/kubeconfig-file.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { addon } from '../../scripts/addon.mts'
import { bootstrapToken } from '../../scripts/bootstrap-token.mts'
import { kubeletFinalize } from '../../scripts/kubelet-finalize.mts'
import { kubeletStart } from '../../scripts/kubelet-start.mts'
import { markControlPlane } from '../../scripts/mark-control-plane.mts'
import { showJoinCommand } from '../../scripts/show-join-command.mts'
import { token } from '../../scripts/token.mts'
import { uploadCerts } from '../../scripts/upload-certs.mts'
import { uploadConfig } from '../../scripts/upload-config.mts'
import { outputOf } from '../output.ts'
import { configOf, goldenCases, goldenInputs } from './objects-cases.mts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep objects '))
after(() => rmSync(folder, { recursive: true }))

const CONFIG = join(folder, 'kubeadm.yaml')
writeFiles(folder, [
  {
    path: '/kubeadm.yaml',
    mode: 0o600,
    content: `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 10.0.0.5}
nodeRegistration: {name: n1, criSocket: "unix:///run/containerd/containerd.sock"}
bootstrapTokens: [{token: abcdef.0123456789abcdef}]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.2
`,
  },
])

interface Said {
  readonly lines: string[]
  readonly results: string[]
  readonly warnings: string[]
}

/** Runs a script as its command line does, and returns what it said. */
async function run(script: Script, flags: Flags = {}, subcommand?: string): Promise<Said> {
  const said: Said = { lines: [], results: [], warnings: [] }
  await script.run({
    name: script.command.name,
    flags,
    subcommand: subcommand ?? script.command.subcommands?.[0]?.name ?? '',
    positionals: [],
    output: outputOf({
      say: line => void said.lines.push(line),
      detail: line => void said.lines.push(line),
      warn: line => void said.warnings.push(line),
      result: text => void said.results.push(text),
    }),
  })
  return said
}

/** A tree with what certs and kubeconfig leave behind. */
function tree(name: string): string {
  const root = join(folder, name)
  const [golden] = goldenCases('v1.36.2')
  assert.ok(golden)
  const authority = goldenInputs(golden).caCertificate
  const content = kubeconfigText(
    { server: 'https://cp:6443', cluster: 'kubernetes', user: 'u', authority, certificate: 'c', key: 'k' },
    configOf('v1.36.2', {}).kubeadm,
  )
  writeFiles(root, [
    { path: '/etc/kubernetes/admin.conf', mode: 0o600, content },
    { path: '/etc/kubernetes/kubelet.conf', mode: 0o600, content },
    { path: '/etc/kubernetes/pki/ca.crt', mode: 0o644, content: authority },
  ])
  return root
}

const OBJECT_SCRIPTS: readonly (readonly [script: Script, count: number, flags?: Flags])[] = [
  [uploadConfig, 6],
  [uploadCerts, 4, { 'upload-certs': true }],
  [markControlPlane, 1],
  [bootstrapToken, 10],
  [addon, 12],
]

describe('a phase with objects', () => {
  for (const [script, count, more] of OBJECT_SCRIPTS) {
    const { name } = script.command

    test(`${name} writes its objects into --output-dir, for its owner alone`, async () => {
      const target = join(folder, `${name}-out`)
      const flags = { config: CONFIG, 'dry-run': true, root: tree(name), 'output-dir': target, ...more }
      const { lines, results } = await run(script, flags)
      const file = join(target, 'cluster-objects.yaml')
      assert.equal(readFileSync(file, 'utf8').match(/^# (CREATE|PATCH) /gm)?.length, count)
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.equal(results.length, 0)
      assert.match(lines.at(-1) ?? '', new RegExp(`^\\[dryrun\\] Wrote ${count} objects? to "`))
    })

    test(`${name} prints its objects alone without --output-dir`, async () => {
      const { lines, results } = await run(script, { config: CONFIG, 'dry-run': true, root: tree(name), ...more })
      assert.deepEqual([lines.length, results.length], [0, 1])
    })

    test(`${name} refuses a kubeconfig that is damaged, before it asks the cluster`, async () => {
      await assert.rejects(
        run(script, { config: CONFIG, root: tree(name), ...more }),
        (error: unknown) =>
          error instanceof KubestepError &&
          /^api: cannot talk to "https:.* in the kubeconfig is damaged/.test(error.message),
      )
    })
  }
})

test('upload-certs does nothing unless told to', async () => {
  assert.deepEqual((await run(uploadCerts)).lines, ['[upload-certs] Skipping phase. Please see --upload-certs'])
})

test('upload-certs and bootstrap-token keep secrets to themselves when asked to', async () => {
  const flags = { config: CONFIG, 'dry-run': true, root: tree('quiet'), 'output-dir': join(folder, 'quiet-out') }
  const key = '0123456789abcdef'.repeat(4)
  const certs = await run(uploadCerts, { ...flags, 'upload-certs': true, 'skip-certificate-key-print': true })
  const tokens = await run(bootstrapToken, { ...flags, 'skip-token-print': true })
  for (const line of [...certs.lines, ...tokens.lines]) assert.ok(!line.includes(key) && !line.includes('abcdef'), line)
})

test('bootstrap-token and show-join-command say which file is missing', async () => {
  const root = join(folder, 'empty')
  for (const script of [bootstrapToken, showJoinCommand]) {
    await assert.rejects(
      run(script, { config: CONFIG, root, 'dry-run': true, 'output-dir': root }),
      /cannot read ".*\/empty\/etc\/kubernetes\/admin\.conf": it does not exist; make it with the kubeconfig script/,
    )
  }
})

test('kubelet-start writes the three files of the kubelet', async () => {
  const root = join(folder, 'kubelet')
  const { lines } = await run(kubeletStart, { config: CONFIG, 'dry-run': true, 'output-dir': root })
  assert.equal(lines.length, 4)
  for (const file of ['kubeadm-flags.env', 'instance-config.yaml', 'config.yaml']) {
    assert.equal(statSync(join(root, 'var/lib/kubelet', file)).mode & 0o777, 0o644)
  }
})

test('kubelet-finalize changes kubelet.conf once the kubelet rotates its certificate', async () => {
  const root = tree('finalize')
  const conf = (): string => readFileSync(join(root, 'etc/kubernetes/kubelet.conf'), 'utf8')
  await run(kubeletFinalize, { config: CONFIG, root })
  assert.match(conf(), /client-key-data/)
  writeFiles(root, [{ path: '/var/lib/kubelet/pki/kubelet-client-current.pem', mode: 0o600, content: 'pem' }])
  await run(kubeletFinalize, { config: CONFIG, root })
  assert.match(conf(), /client-key: \/var\/lib\/kubelet\/pki\/kubelet-client-current\.pem/)
  assert.doesNotMatch(conf(), /client-key-data/)
})

test('addon prints manifests as YAML documents', async () => {
  const { results } = await run(addon, { config: CONFIG, 'print-manifest': true }, 'kube-proxy')
  assert.equal(results.join('').match(/^---$/gm)?.length, 6)
})

test('show-join-command prints the command of the cluster in admin.conf', async () => {
  const { results } = await run(showJoinCommand, { config: CONFIG, root: tree('join') })
  assert.match(results.join(''), /\nkubeadm join cp:6443 --token abcdef\.0123456789abcdef \\\n/)
})

test('token generate prints a token', async () => {
  const { results } = await run(token, {}, 'generate')
  assert.ok(parseToken(results.join('').trim()))
})
