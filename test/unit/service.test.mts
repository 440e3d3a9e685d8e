import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quote } from '../../lib/machine/command.ts'
import { parseVariables } from '../../lib/machine/service/supervise.mjs'
import { unit } from '../../lib/machine/service/unit-text.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { proxyVariables } from '../../lib/supply/runtime/private-runtime.ts'
import { shimSocket } from '../../lib/supply/runtime/shims.ts'

const SERVICE = {
  name: 'kubelet',
  about: 'kubelet of a kubestep cluster',
  command: ['/opt/my bin/kubelet', '--v=2', '--x=100%$HOME "q"'],
  restartDelayMs: 600,
} as const

test('unit() quotes what is special to systemd and sets the restart delay', () => {
  const lines = unit(SERVICE).split('\n')
  assert.ok(lines.includes('ExecStart="/opt/my bin/kubelet" --v=2 "--x=100%%$$HOME \\"q\\""'))
  assert.ok(lines.includes('RestartSec=600ms'))
  assert.ok(lines.indexOf('StartLimitIntervalSec=0') < lines.indexOf('[Service]'))
})

test('unit() names the file of variables before the command', () => {
  const lines = unit({ ...SERVICE, environmentFile: '/var/lib/x.env' }).split('\n')
  assert.ok(lines.indexOf('EnvironmentFile=-/var/lib/x.env') >= 0)
  assert.ok(lines.indexOf('EnvironmentFile=-/var/lib/x.env') < lines.findIndex(line => line.startsWith('ExecStart=')))
})

test('proxyVariables() are read back as they are, whatever a password holds', () => {
  const variables = [
    { name: 'HTTPS_PROXY', value: 'http://user:p"a\\s`s$HOME#;%s@proxy.example:3128' },
    { name: 'no_proxy', value: 'localhost, 10.0.0.0/8,*.example.org' },
  ]
  const text = proxyVariables([...variables, { name: 'X_PROXY', value: 'a\nB=c' }])
  assert.deepEqual(
    [...parseVariables(text)].map(([name, value]) => ({ name, value })),
    variables,
  )
})

for (const [word, quoted] of [
  ['plain-word_1.2:/x=y,z', 'plain-word_1.2:/x=y,z'],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ['', "''"],
  ['$HOME', "'$HOME'"],
] as const) {
  test(`quote() makes ${JSON.stringify(word)} one literal word`, () => {
    assert.equal(quote(word), quoted)
  })
}

test('shimSocket() is where containerd 1.6 was seen to put it', () => {
  assert.equal(
    shimSocket(
      '/run/kubestep/containerd.sock',
      'k8s.io/bf11d7c310a4f0352df3c41d10b11237dc8ba421059055957554618b9db752e4',
    ),
    '/run/containerd/s/52dfd585e4c5dfb2df16ea35894de87f187f1d23fb06fbaa40acb41663194ab9',
  )
})

test('containerdConfig() keeps everything below its own folders', () => {
  const text = containerdConfig({
    root: '/r',
    state: '/s',
    socket: '/s/c.sock',
    cniBinDir: '/bin/cni',
    cniConfDir: '/conf/cni',
    runc: '/usr/sbin/runc',
    pauseImage: 'registry.k8s.io/pause:3.10.2',
    cgroupDriver: 'systemd',
    restrictOomScore: false,
    registryConfig: '/r/certs.d',
  })
  for (const line of [
    'root = "/r"',
    'path = "/r/opt"',
    'address = "/s/c.sock"',
    'sandbox_image = "registry.k8s.io/pause:3.10.2"',
    'SystemdCgroup = true',
    'Root = "/s/runc"',
    'restrict_oom_score_adj = false',
    'enable_cdi = true',
    'config_path = "/r/certs.d"',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
})
