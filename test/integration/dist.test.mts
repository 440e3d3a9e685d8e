import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { which } from '../../lib/machine/command.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const GOLDEN = join(ROOT, 'test/golden/v1.36.2/init/custom-network')

/** Runtimes to try, as the test runner gives them; the Node that runs this otherwise. */
const RUNTIMES = (process.env.KUBESTEP_RUNTIMES ?? process.execPath).split(':')

function commandOf(runtime: string): string[] {
  return basename(runtime) === 'deno' ? [runtime, 'run', '-A'] : [runtime]
}

function nameOf(runtime: string): string {
  return runtime.split('node_modules/').at(-1) ?? runtime
}

/** A fresh folder with a blank in its name. */
function folder(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep dist '))
}

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(command: readonly string[], cwd = ROOT): Outcome {
  const [program = '', ...args] = command
  return spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 120_000 })
}

/** Every file below a folder, with its mode and, where that does not hold keys, its content. */
function tree(path: string): Record<string, string> {
  const files: Record<string, string> = {}
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(path, below), { withFileTypes: true })) {
      const name = join(below, entry.name)
      if (entry.isDirectory()) walk(name)
      else {
        const mode = (statSync(join(path, name)).mode & 0o777).toString(8)
        files[name] =
          `${mode} ${/\/pki\/|\.conf$/.test(name) ? '' : readFileSync(join(path, name), 'utf8').replace(/certificate-authority-data: .*/g, '')}`
      }
    }
  }
  walk('')
  return files
}

describe('the same tree', () => {
  const ways = RUNTIMES.flatMap(runtime => {
    const command = commandOf(runtime)
    const typescript = basename(runtime) === 'node' && nameOf(runtime).startsWith('node20') ? ['--import', 'tsx'] : []
    return [
      { name: `dist on ${nameOf(runtime)}`, command: [...command, join(ROOT, 'dist/init.mjs')] },
      { name: `sources on ${nameOf(runtime)}`, command: [...command, ...typescript, join(ROOT, 'scripts/init.mts')] },
    ]
  })
  let first: Record<string, string> | undefined
  for (const { name, command } of ways) {
    test(`from ${name}`, () => {
      const path = folder()
      const { status, stderr } = start([
        ...command,
        '--dry-run',
        '--config',
        join(GOLDEN, 'config.yaml'),
        '--output-dir',
        path,
        '-q',
      ])
      assert.equal(status, 0, stderr)
      const made = tree(path)
      for (const manifest of readdirSync(join(GOLDEN, 'manifests'))) {
        assert.equal(
          made[`etc/kubernetes/manifests/${manifest}`],
          `600 ${readFileSync(join(GOLDEN, 'manifests', manifest), 'utf8')}`,
        )
      }
      first ??= made
      assert.deepEqual(made, first)
      rmSync(path, { recursive: true })
    })
  }
})

describe('every bundle', () => {
  // The action's have no command line: test/integration/action.test.mts is theirs.
  for (const file of readdirSync(join(ROOT, 'dist')).filter(name => /^(?!action).*\.mjs$/.test(name))) {
    test(`${file} shows its help alone in a folder, and refuses what it does not know`, () => {
      const path = folder()
      cpSync(join(ROOT, 'dist', file), join(path, file))
      const help = start([process.execPath, join(path, file), '--help'], path)
      assert.equal(help.status, 0, help.stderr)
      assert.match(help.stdout, /Usage:[\s\S]*Examples:/)
      const wrong = start([process.execPath, join(path, file), '--no-such-option'], path)
      assert.equal(wrong.status, 2)
      assert.match(wrong.stderr, /cannot take option "--no-such-option"/)
      rmSync(path, { recursive: true })
    })
  }
})

const BAD_CONFIGS: readonly (readonly [name: string, text: string | Uint8Array, message: RegExp])[] = [
  ['a tab', 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n\tclusterName: x\n', /:3: .*tab/],
  [
    'a duplicate key',
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: a\nclusterName: b\n',
    /:4: .*clusterName/,
  ],
  [
    'an unknown field',
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclustername: a\n',
    /:3: .*clusterName/,
  ],
  [
    'a wrong type',
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {bindPort: "x"}\n',
    /:3: .*bindPort/,
  ],
  [
    'a subnet too small',
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: 10.0.0.0/30}\n',
    /serviceSubnet/,
  ],
  ['a megabyte of garbage', Buffer.alloc(1024 * 1024, '{]&*?%'), /more than 256 KiB; give the file that was meant/],
]

describe('bad input ends in one clear message and writes nothing', () => {
  const init = [process.execPath, join(ROOT, 'dist/init.mjs'), '--dry-run']
  for (const [name, text, message] of BAD_CONFIGS) {
    test(name, () => {
      const path = folder()
      writeFileSync(join(path, 'config.yaml'), text)
      const out = join(path, 'out')
      const { status, stderr } = start([...init, '--config', join(path, 'config.yaml'), '--output-dir', out])
      assert.equal(status, 1)
      assert.match(stderr, message)
      assert.ok(stderr.trim().split('\n').length <= 3, stderr)
      assert.equal(existsSync(out), false)
      rmSync(path, { recursive: true })
    })
  }

  test('a configuration that is not there, or a folder', () => {
    const missing = start([...init, '--config', '/no/such/file.yaml'])
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /config: cannot read "\/no\/such\/file\.yaml": it does not exist/)
    assert.match(start([...init, '--config', tmpdir()]).stderr, /it is a folder; name a file in it/)
  })

  const noTmpfs =
    process.getuid?.() !== 0
      ? 'needs root to mount a small tmpfs'
      : which('mount') === undefined && 'mount is not installed'
  test('a full output folder', { skip: noTmpfs }, () => {
    const path = folder()
    mkdirSync(join(path, 'small'))
    assert.equal(start(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', join(path, 'small')]).status, 0)
    try {
      const { status, stderr } = start([...init, '--output-dir', join(path, 'small')])
      assert.equal(status, 1)
      assert.match(stderr, /no space left on the device; .*nothing was written/)
      assert.deepEqual(readdirSync(join(path, 'small')), [])
    } finally {
      start(['umount', join(path, 'small')])
      rmSync(path, { recursive: true })
    }
  })
})

const noUser =
  process.getuid?.() !== 0
    ? 'needs root to become somebody else'
    : which('setpriv') === undefined && 'setpriv is not installed'

test('init --dry-run works as an unprivileged user without a network', { skip: noUser }, () => {
  const path = folder()
  chmodSync(path, 0o777)
  // Copies, because the checkout may lie where that user cannot look.
  cpSync(join(ROOT, 'dist/init.mjs'), join(path, 'init.mjs'))
  cpSync(join(GOLDEN, 'config.yaml'), join(path, 'config.yaml'))
  const user = ['unshare', '--net', 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const init = [
    process.execPath,
    join(path, 'init.mjs'),
    '--dry-run',
    '--config',
    join(path, 'config.yaml'),
    '--output-dir',
    join(path, 'my tree'),
  ]
  const { status, stdout, stderr } = start([...user, ...init], path)
  assert.equal(status, 0, stderr)
  assert.match(stdout, /A real run would:/)
  assert.equal(statSync(join(path, 'my tree/etc/kubernetes/pki/ca.key')).mode & 0o777, 0o600)
  rmSync(path, { recursive: true })
})

test('a read-only output folder is refused as an unprivileged user', { skip: noUser }, () => {
  const path = folder()
  chmodSync(path, 0o755)
  cpSync(join(ROOT, 'dist/init.mjs'), join(path, 'init.mjs'))
  const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const { status, stderr } = start(
    [...user, process.execPath, join(path, 'init.mjs'), '--dry-run', '--output-dir', join(path, 'out')],
    path,
  )
  assert.equal(status, 1)
  assert.match(stderr, /permission denied; run as root or choose another folder/)
  rmSync(path, { recursive: true })
})

test('a second dry run into the same folder makes the whole tree anew', () => {
  const path = folder()
  const init = [
    process.execPath,
    join(ROOT, 'dist/init.mjs'),
    '--dry-run',
    '--config',
    join(GOLDEN, 'config.yaml'),
    '--output-dir',
    path,
  ]
  assert.equal(start(init).status, 0)
  const keys = (): string[] =>
    ['ca.key', 'apiserver.crt', 'sa.key'].map(name => readFileSync(join(path, 'etc/kubernetes/pki', name), 'utf8'))
  const before = keys()
  writeFileSync(join(path, 'notes.txt'), 'mine')
  const external = join(folder(), 'config.yaml')
  writeFileSync(
    external,
    [
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: ClusterConfiguration',
      'controlPlaneEndpoint: cp.example.org',
      'encryptionAlgorithm: ECDSA-P256',
      'etcd: {external: {endpoints: ["https://10.0.0.9:2379"], caFile: /ca, certFile: /crt, keyFile: /key}}',
    ].join('\n'),
  )
  const second = start([...init.map(word => (word === join(GOLDEN, 'config.yaml') ? external : word))])
  assert.equal(second.status, 0, second.stderr)
  const after = keys()
  for (const [index, text] of after.entries()) assert.notEqual(text, before[index])
  assert.match(after[0] ?? '', /BEGIN EC PRIVATE KEY/)
  assert.match(readFileSync(join(path, 'etc/kubernetes/admin.conf'), 'utf8'), /server: https:\/\/cp\.example\.org:6443/)
  assert.equal(existsSync(join(path, 'etc/kubernetes/manifests/etcd.yaml')), false)
  assert.equal(existsSync(join(path, 'etc/kubernetes/pki/etcd')), false)
  assert.equal(readFileSync(join(path, 'notes.txt'), 'utf8'), 'mine')
  rmSync(path, { recursive: true })
})
