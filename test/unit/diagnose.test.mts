import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { maskJson, maskSecrets, secretMask } from '../../lib/base/secrets.ts'
import { withoutSecrets } from '../../lib/cluster/diagnose/api-objects.ts'
import { fullDisks } from '../../lib/cluster/diagnose/disks.ts'
import { lastWords, tellingLines } from '../../lib/cluster/diagnose/log-lines.ts'
import { ENDINGS, endingOf, refusalText } from '../../lib/cluster/diagnose/pod-troubles.ts'
import { findingOf, podTrouble } from '../../lib/cluster/diagnose/pods-link.ts'
import { lastRun, sandboxRefusal } from '../../lib/cluster/diagnose/static-pod-link.ts'
import { covers } from '../../lib/phases/run/record-changes.ts'

for (const [name, text, masked] of [
  ['a bootstrap token', 'token abcdef.0123456789abcdef ok', 'token abcdef.<masked> ok'],
  ['a bearer token', 'Authorization: Bearer abc.def-123', 'Authorization: Bearer <masked>'],
  ['key data', '    client-key-data: TEFMQQ==', '    client-key-data: <masked>'],
  ['JSON fields', '{"token-secret":"0123456789abcdef","a":1}', '{"token-secret":"<masked>","a":1}'],
  ['a service account token', 'x eyJhbGciOi.eyJpc3Mi.c2ln y', 'x <masked token> y'],
  [
    'a private key',
    'a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb',
    'a\n<masked private key>\nb',
  ],
  ['a key without an end', 'x -----BEGIN PRIVATE KEY-----\nMIIE\nmore', 'x <masked private key>'],
  ['PEM in base64', 'a: LS0tLS1CRUdJTiBSU0EgUFJJ+/VkF=== b', 'a: <masked PEM> b'],
  ['data of kubeconfigs', 'client-certificate-data: LS0t\n  name: x', 'client-certificate-data: <masked>\n  name: x'],
  [
    'JSON in a log line',
    String.raw`got {\"password\": \"hunter2\", \"b\": 1}`,
    String.raw`got {\"password\": \"<masked>\", \"b\": 1}`,
  ],
  ['a variable', 'DB_PASSWORD=hunter2 next', 'DB_PASSWORD=<masked> next'],
  ['a flag', '--token=abc --certificate-key=00ff --v=2', '--token=<masked> --certificate-key=<masked> --v=2'],
  [
    'a proxy with a password',
    'https_proxy: http://user:pw@10.0.0.1:3128',
    'https_proxy: http://<masked>@10.0.0.1:3128',
  ],
  ['registry logins', '{"auths":{"r.io":{"password":"pw"}}}', '{"auths":{"r.io":{"password":"<masked>"}}}'],
  [
    'sentences about tokens, which stay',
    'failed to get token: the API server does not answer\n--service-account-key-file=/etc/kubernetes/pki/sa.pub',
    'failed to get token: the API server does not answer\n--service-account-key-file=/etc/kubernetes/pki/sa.pub',
  ],
  [
    'fields that only sound like one, which stay',
    '{"serviceAccountToken": {"path": "token"}, "secretName": "kubeadm-certs", "automountServiceAccountToken": false}',
    '{"serviceAccountToken": {"path": "token"}, "secretName": "kubeadm-certs", "automountServiceAccountToken": false}',
  ],
  [
    "a login in containerd's configuration",
    'auth = "dXNlcjpwYXNz"\nidentitytoken = "abc"\npassword = "two words"',
    'auth = "<masked>"\nidentitytoken = "<masked>"\npassword = "<masked>"',
  ],
  ['a flag and its value', 'kubeadm join --certificate-key x --v 2', 'kubeadm join --certificate-key <masked> --v 2'],
  ['flags as JSON', '["--token", "abc", "--v", "2"]', '["--token", "<masked>", "--v", "2"]'],
  ['escaped quotes in a value', '{"password": "a\\"b c", "d": 1}', '{"password": "<masked>", "d": 1}'],
  ['YAML with blanks', 'a: 1\npassword: two words\nb: 2', 'a: 1\npassword: <masked>\nb: 2'],
  ['a block of YAML', 'password: |\n  two\n  words\nb: 2', 'password: | <masked>\nb: 2'],
  ['a variable of a container', '{"name":"DB_PASSWORD","value":"pw"}', '{"name":"DB_PASSWORD","value":"<masked>"}'],
  ["a variable in a runtime's words", 'envs:{key:"A_TOKEN" value:"pw"}', 'envs:{key:"A_TOKEN" value:"<masked>"}'],
  ["GitHub's tokens", 'got ghp_0123abcDEF and github_pat_0123abc', 'got ghp_<masked> and github_pat_<masked>'],
  ['a password with signs of its own', 'https://u:p@ss/w:rd@host:1/x', 'https://<masked>@host:1/x'],
  ['a proxy without a scheme', 'HTTP_PROXY=u:pw@proxy:3128 x', 'HTTP_PROXY=<masked>@proxy:3128 x'],
  ['a proxy among exceptions', 'NO_PROXY=.svc,http://u:pw@p,10.0.0.0/8', 'NO_PROXY=.svc,http://<masked>@p,10.0.0.0/8'],
  [
    'headers',
    'Authorization: token abc\nX-Registry-Auth: abc',
    'Authorization: token <masked>\nX-Registry-Auth: <masked>',
  ],
  ['a struct of Go', '&{User:u Password:pw Host:h}', '&{User:u Password:<masked> Host:h}'],
  ['the end of a key', 'MIIEpAIBAAKC\n-----END RSA PRIVATE KEY-----\nb', '<masked private key>\nb'],
  [
    'what is masked already',
    'Authorization: Bearer <masked>, token=<masked>',
    'Authorization: Bearer <masked>, token=<masked>',
  ],
  [
    'settings, which stay',
    'authorization:\n  mode: Webhook\nanonymous-auth=false\n--authorization-mode=Node,RBAC\nautomountServiceAccountToken: false',
    'authorization:\n  mode: Webhook\nanonymous-auth=false\n--authorization-mode=Node,RBAC\nautomountServiceAccountToken: false',
  ],
  [
    'images with digests and ports, which stay',
    'oci://r.io/a@sha256:abc http://localhost:4873/@scope/x use --token to say it',
    'oci://r.io/a@sha256:abc http://localhost:4873/@scope/x use --token to say it',
  ],
  [
    'nothing that looks like one',
    'registry.k8s.io/pause:3.10 at 10.0.0.5:6443',
    'registry.k8s.io/pause:3.10 at 10.0.0.5:6443',
  ],
] as const) {
  test(`maskSecrets() handles ${name}`, () => {
    assert.equal(maskSecrets(text), masked)
  })
}

test('secretMask() takes what it knows, in every form in which it travels', () => {
  const mask = secretMask(['p@ss "word"', 'p@ss', 'no'])
  const forms = ['p@ss "word"', 'p%40ss%20%22word%22', String.raw`p@ss \"word\"`, 'cEBzcyAid29yZCI=', 'p@ss']
  assert.equal(mask(`${forms.join(' ')} no`), '<masked> <masked> <masked> <masked> <masked> no')
  assert.deepEqual(maskJson({ a: ['p@ss', 1, { b: null }] }, mask), { a: ['<masked>', 1, { b: null }] })
})

test('tellingLines() takes errors, passes over mere waiting, and cuts the prefix of CRI', () => {
  const log = [
    '2026-11-23T14:00:00.1Z stderr F I1123 14:00:00 starting',
    '2026-11-23T14:00:00.2Z stderr F E1123 14:00:00 dial tcp 10.0.0.5:6443: connect: connection refused',
    '2026-11-23T14:00:00.3Z stderr F Error: unknown flag: --foo',
    '2026-11-23T14:00:00.4Z stderr F I1123 14:00:00 more',
    '',
  ].join('\n')
  assert.deepEqual(tellingLines(log, 5), ['Error: unknown flag: --foo'])
})

test('tellingLines() says the same thing once, the last time it was said', () => {
  const log = [
    'E1123 14:00:00 no id 0123456789abcdef',
    'E1123 14:00:01 other',
    'E1123 14:00:02 no id fedcba9876543210',
    '',
  ].join('\n')
  assert.deepEqual(tellingLines(log, 5), ['E1123 14:00:01 other', 'E1123 14:00:02 no id fedcba9876543210'])
})

test("tellingLines() makes sentences of etcd's JSON, and masks them", () => {
  const line = { level: 'error', ts: 'now', caller: 'etcd.go:1', msg: 'no', error: 'token=abc' }
  assert.deepEqual(tellingLines(JSON.stringify(line), 5), ['error etcd.go:1: no: token=<masked>'])
})

test('tellingLines() leaves out the middle of very long lines', () => {
  const [line = ''] = tellingLines(`E1123 begin ${'x '.repeat(2000)}end`, 1)
  assert.ok(line.length < 600 && line.startsWith('E1123 begin') && line.endsWith(' x end'))
})

test('lastWords() prefers why a program gave up to what it complained of before', () => {
  const log = 'E1123 14:00:00 complaint\nE1123 14:00:01 "command failed" err="no"\nI1123 14:00:02 bye\n'
  assert.deepEqual(lastWords(log, 5), ['E1123 14:00:01 "command failed" err="no"'])
  assert.deepEqual(lastWords('E1123 14:00:00 complaint\n', 5), ['E1123 14:00:00 complaint'])
})

test('tellingLines() falls back to the last lines where nothing is called an error', () => {
  assert.deepEqual(tellingLines('a\nb\nc\n', 2), ['b', 'c'])
  assert.deepEqual(tellingLines('', 2), [])
})

const pod = (status: JsonObject): JsonObject => ({ metadata: { namespace: 'ns', name: 'p' }, status })
const condition = (type: string, message: string): JsonObject => ({ type, status: 'False', message })

for (const [what, status, trouble] of [
  ['runs', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }, undefined],
  ['has done its work', { phase: 'Succeeded', conditions: [condition('Ready', '')] }, undefined],
  [
    'waits for its image',
    { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'refused' } } }] },
    'ns/p waits: ErrImagePull: refused',
  ],
  [
    'has no node',
    { phase: 'Pending', conditions: [condition('PodScheduled', '0/1 nodes are available')] },
    'ns/p is Pending: 0/1 nodes are available',
  ],
  [
    'is not ready',
    { phase: 'Running', containerStatuses: [{ restartCount: 3 }], conditions: [condition('Ready', 'unready: [a]')] },
    'ns/p runs and is not ready, after 3 restarts: unready: [a]',
  ],
  ['failed', { phase: 'Failed', message: 'evicted' }, 'ns/p failed: evicted'],
] as const) {
  test(`podTrouble() of a Pod that ${what}`, () => assert.equal(podTrouble(pod(status)), trouble))
}

const probe = (status: JsonObject, name = 'kubestep-probe'): JsonObject => ({
  metadata: { namespace: 'default', name, uid: 'u1' },
  status: { phase: 'Pending', ...status },
})
const waiting = (reason: string, message = '', more: JsonObject = {}): JsonObject => ({
  containerStatuses: [{ state: { waiting: { reason, message } }, ...more }],
})
const NO_PLUGIN = 'plugin type="bridge" failed (add): failed to find plugin "bridge" in path [/a/bin]'

for (const [what, status, refusal, cause, afterMs] of [
  [
    'whose plugin is missing',
    waiting('ContainerCreating'),
    NO_PLUGIN,
    /^the runtime cannot make Pod default\/kubestep-probe: .*failed to find plugin "bridge"/,
    3_000,
  ],
  ['that the runtime refuses', waiting('ContainerCreating'), 'no room', /cannot make Pod .*: no room$/, 20_000],
  [
    'that was refused and is on its way now',
    waiting('ImagePullBackOff', 'dial tcp: timeout'),
    'no room',
    /ImagePullBackOff: dial tcp/,
    60_000,
  ],
  [
    'whose image there is not',
    waiting('ErrImagePull', 'registry/x:1: not found'),
    undefined,
    /ErrImagePull: .*not found$/,
    15_000,
  ],
  ['that may not be pulled', waiting('ErrImageNeverPull'), undefined, /ErrImageNeverPull/, 15_000],
  [
    'whose container cannot be made',
    waiting('CreateContainerError', 'no'),
    undefined,
    /CreateContainerError: no/,
    30_000,
  ],
  [
    'that ends again and again',
    waiting('CrashLoopBackOff', 'back-off', { restartCount: 4 }),
    undefined,
    /CrashLoopBackOff/,
    0,
  ],
  [
    'that ended once',
    waiting('CrashLoopBackOff', 'back-off', { restartCount: 1 }),
    undefined,
    /CrashLoopBackOff/,
    'starting',
  ],
  ['that is being made', waiting('ContainerCreating'), undefined, /ContainerCreating/, 'starting'],
  ['that has no node', { conditions: [condition('PodScheduled', 'none')] }, undefined, /is Pending: none/, 'starting'],
] as const) {
  test(`findingOf() a Pod ${what}`, () => {
    const refusals = new Map(refusal === undefined ? [] : [['u1', refusal]])
    const found = findingOf(probe(status), refusals)
    assert.match(found.cause, cause)
    assert.equal(afterMs === 'starting' ? found.starting : found.finalAfterMs, afterMs === 'starting' ? true : afterMs)
    // What users have put in is told, and ends nothing.
    assert.equal(findingOf(probe(status, 'mine'), refusals).finalAfterMs, undefined)
  })
}

test('refusalText() leaves out who passed it on, and ids that tell nothing', () => {
  const text = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "${'a1'.repeat(32)}": no`
  assert.equal(refusalText(text), 'failed to setup network for sandbox: no')
})

test('endingOf() knows every trouble', () => {
  for (const { trouble } of ENDINGS) assert.ok(Number.isFinite(endingOf(trouble, 'anything at all').finalAfterMs))
})

test('fullDisks() names each mount point without room once', () => {
  const df = [
    'Filesystem     1024-blocks     Used Available Capacity Mounted on',
    '/dev/vda         263112772 50000000 200000000      20% /',
    'tmpfs                10240    10240         0     100% /var/lib/my etcd',
    'tmpfs                10240    10240         0     100% /var/lib/my etcd',
    '',
  ]
  assert.deepEqual(fullDisks(df.join('\n')), ['0 KiB in "/var/lib/my etcd"'])
  assert.deepEqual(fullDisks(''), [])
})

test('withoutSecrets() takes values of variables, and what repeats the object', () => {
  const given = {
    items: [
      {
        metadata: {
          managedFields: [{}],
          annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', a: 'b' },
        },
        spec: {
          containers: [
            {
              name: 'c',
              env: [
                { name: 'A', value: 's' },
                { name: 'B', valueFrom: { x: 1 } },
              ],
            },
          ],
        },
      },
    ],
  }
  assert.deepEqual(withoutSecrets(given), {
    items: [
      {
        metadata: { annotations: { a: 'b' } },
        spec: {
          containers: [
            {
              name: 'c',
              env: [
                { name: 'A', value: '<masked>' },
                { name: 'B', valueFrom: { x: 1 } },
              ],
            },
          ],
        },
      },
    ],
  })
})

test("sandboxRefusal() gives the runtime's own words, the last time", () => {
  const line = (reason: string): string =>
    `E1123 16:27:24 1 kuberuntime_manager.go:1614] "CreatePodSandbox for pod failed" err="rpc error: code = Unknown desc = ${reason}" pod="kube-system/etcd-vm"\n`
  const log = `${line('first')}${line('runc says \\"no\\"')}other\n`
  assert.equal(sandboxRefusal(log, 'etcd'), 'runc says "no"')
  assert.equal(sandboxRefusal(log, 'kube-apiserver'), undefined)
  assert.equal(sandboxRefusal('all is well\n', 'etcd'), undefined)
})

for (const [release, first] of [
  ['1.36', 'I1123 16:27:20 1 server.go:517] "Kubelet version" kubeletVersion="v1.36.2"'],
  ['1.20', 'I1123 16:27:20 1 server.go:416] Version: v1.20.2'],
] as const) {
  test(`lastRun() leaves out what an earlier kubelet ${release} met`, () => {
    assert.equal(lastRun(`${first}\nold\n${first}\nnew\n`), `${first}\nnew\n`)
    assert.equal(lastRun('in the middle of it\n'), 'in the middle of it\n')
  })
}

for (const [what, change, path, covered] of [
  ['a tree', { kind: 'tree', path: '/etc/kubernetes' }, '/etc/kubernetes/kubelet.conf', true],
  ['another tree', { kind: 'tree', path: '/etc/kube' }, '/etc/kubernetes/kubelet.conf', false],
  ['a folder, for what is new in it', { kind: 'contents', path: '/etc/k', before: ['a'] }, '/etc/k/b/c', true],
  ['a folder, for what was there', { kind: 'contents', path: '/etc/k', before: ['a'] }, '/etc/k/a/c', false],
  ['something else', { kind: 'service', name: 'kubelet' }, '/etc/k/a', false],
] as const) {
  test(`covers() says ${covered} of ${what}`, () => assert.equal(covers(change, path), covered))
}
