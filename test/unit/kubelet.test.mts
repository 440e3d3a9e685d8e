import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../lib/base/errors.ts'
import { canonicalQuantity } from '../../lib/base/go/quantity.ts'
import { goQuote } from '../../lib/base/go/quote.ts'
import { encodeStruct, type Struct } from '../../lib/base/go/struct.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { parseVersion } from '../../lib/base/version.ts'
import { parse } from '../../lib/base/yaml.ts'
import { completeKubelet, SYSTEMD_RESOLV_CONF } from '../../lib/kubeadm/component-configs/kubelet-config.ts'
import { KUBELET_CONFIGURATION } from '../../lib/kubeadm/component-configs/kubelet-schema.ts'
import { kubeletFiles } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import { kubeletFlagsFile } from '../../lib/kubeadm/kubelet/kubelet-flags.ts'
import { rotatedCertificatePath, rotatedKubeconfig } from '../../lib/kubeadm/kubelet/rotation.ts'
import { configOf, GOLDEN_FACTS } from './objects-cases.mts'

const NEWEST = parseVersion('v1.36.2') ?? { major: 1, minor: 36, patch: 2, pre: '', build: '' }

describe('canonicalQuantity()', () => {
  // Each right side is what kubeadm v1.36.2 made of the left.
  const rows: readonly (readonly [given: string, canonical: string | undefined])[] = [
    ['0', '0'],
    ['0.0', '0'],
    ['1100Mi', '1100Mi'],
    ['1024Mi', '1Gi'],
    ['1.5Ki', '1536'],
    ['0.25Gi', '256Mi'],
    ['1000m', '1'],
    ['0.1', '100m'],
    ['2.50', '2500m'],
    ['100000k', '100M'],
    ['5e2', '500'],
    ['1.0000000001', '1000000001n'],
    ['-0.5', '-500m'],
    ['16Ei', '9223372036854775807'],
    // Left alone, because they look canonical at a glance.
    ['1.500', '1.500'],
    ['0100', '0100'],
    ['+3', '+3'],
    ['1E3', '1E3'],
    [' 1Gi ', '1Gi'],
    ['', undefined],
    ['1gi', undefined],
    ['one', undefined],
  ]
  for (const [given, canonical] of rows) {
    test(`canonicalQuantity() of ${JSON.stringify(given)}`, () => assert.equal(canonicalQuantity(given), canonical))
  }
})

test('goQuote() escapes as Go does', () => {
  const rows = [
    ['plain', '"plain"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['\t\n\u0000\u007f', '"\\t\\n\\x00\\x7f"'],
    ['é\u00a0\u{1f600}\u200b', '"é\\u00a0\u{1f600}\\u200b"'],
  ]
  for (const [text, quoted] of rows) assert.equal(goQuote(text ?? ''), quoted)
})

describe('encodeStruct()', () => {
  const STRUCT: Struct = [
    ['text', 'string'],
    ['kept', 'string!'],
    ['flag', '*bool'],
    ['names', '[]string!'],
    ['wait', 'duration'],
    ['inner', [['count', 'int32']]],
    ['maybe', { pointer: [['count', 'int32!']] }],
    ['rows', { list: [['id', 'uint32!']] }],
    ['old', 'bool', '1.18', '1.20'],
    ['new', 'bool', '1.99'],
  ]
  const encode = (document: JsonObject) => encodeStruct(STRUCT, document, NEWEST)

  test('encodeStruct() writes what Go writes for nothing at all', () => {
    assert.deepEqual(encode({}).value, { kept: '', names: null, wait: '0s', inner: {} })
  })

  test('encodeStruct() tells an unset pointer from a zero one, and an empty list from none', () => {
    const { value } = encode({ flag: false, names: [], maybe: {}, rows: [{}], text: '' })
    assert.deepEqual(value, {
      kept: '',
      flag: false,
      names: [],
      wait: '0s',
      inner: {},
      maybe: { count: 0 },
      rows: [{ id: 0 }],
    })
  })

  test('encodeStruct() names every field that does not fit, with its path', () => {
    const { faults, warnings } = encode({
      text: 5,
      flag: 'yes',
      names: ['a', 1],
      wait: 'soon',
      inner: { count: 1.5, counts: 1 },
      rows: [{ id: -1 }],
      old: true,
      new: true,
      texts: '',
    })
    assert.deepEqual(
      faults.map(({ field, reason }) => `${field}: ${reason}`),
      [
        'text: it must be a text; correct the value',
        'flag: it must be true or false; correct the value',
        'names[1]: it must be a text; correct the value',
        'wait: it must be a duration like 1h30m or 10s; correct the value',
        'inner.count: it must be a whole number; correct the value',
        'inner.counts: the field is unknown; did you mean "count"?',
        'rows[0].id: it must be a whole number from 0; correct the value',
        'texts: the field is unknown; did you mean "text"?',
      ],
    )
    assert.deepEqual(
      warnings.map(({ field, reason }) => `${field}: ${reason}`),
      [
        'old: this release has no such field (it went with 1.20); it is left out',
        'new: this release has no such field (it came with 1.99); it is left out',
      ],
    )
  })

  test('encodeStruct() refuses null for a duration, as Go does, and for nothing else', () => {
    assert.deepEqual(
      encode({ wait: null, text: null, flag: null, names: null, inner: null, rows: null }).faults.map(f => f.field),
      ['wait'],
    )
  })

  test('every field of KubeletConfiguration has one shape in each release', () => {
    for (let minor = 18; minor <= 36; minor++) {
      const release = { ...NEWEST, minor, patch: 0 }
      const { value } = encodeStruct(KUBELET_CONFIGURATION, {}, release)
      assert.ok('authentication' in value)
    }
  })
})

describe('completeKubelet()', () => {
  const OWN = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
`

  test('completeKubelet() speaks of every value that differs, in the order of kubeadm', () => {
    const config = configOf('v1.36.2', {
      kubelet: `${OWN}staticPodPath: /m
clusterDNS: [10.96.0.53, 1.2.3.4]
clusterDomain: other.local
authentication: {x509: {clientCAFile: /ca}, webhook: {enabled: false}, anonymous: {enabled: true}}
authorization: {mode: AlwaysAllow}
healthzBindAddress: 0.0.0.0
healthzPort: 1
readOnlyPort: 10255
rotateCertificates: false
cgroupDriver: cgroupfs
resolvConf: ""
`,
    })
    const { notices, configuration } = completeKubelet(config, { systemdResolved: true })
    const notice = (field: string, wanted: string, given: string): string =>
      `the recommended value for "${field}" in "KubeletConfiguration" is: ${wanted}; the provided value is: ${given}`
    assert.deepEqual(notices, [
      notice('staticPodPath', '/etc/kubernetes/manifests', '/m'),
      notice('clusterDNS', '[10.96.0.10]', '[10.96.0.53 1.2.3.4]'),
      notice('clusterDomain', 'cluster.local', 'other.local'),
      notice('authentication.x509.clientCAFile', '/etc/kubernetes/pki/ca.crt', '/ca'),
      notice('authentication.anonymous.enabled', 'false', 'true'),
      notice('authorization.mode', 'Webhook', 'AlwaysAllow'),
      notice('authentication.webhook.enabled', 'true', 'false'),
      notice('healthzBindAddress', '127.0.0.1', '0.0.0.0'),
      notice('healthzPort', '10248', '1'),
      notice('readOnlyPort', '0', '10255'),
      notice('resolvConf', SYSTEMD_RESOLV_CONF, ''),
    ])
    assert.equal(configuration.rotateCertificates, true)
    assert.equal(configuration.cgroupDriver, 'cgroupfs')
    assert.equal(configuration.resolvConf, '')
  })

  test('completeKubelet() throws a ConfigError with every fault of the document', () => {
    const config = configOf('v1.36.2', {})
    const broken = { ...config, kubelet: { userSupplied: true, document: { maxPods: 'many', syncFrequency: 5 } } }
    assert.throws(
      () => completeKubelet(broken, { systemdResolved: false }),
      (error: unknown) => error instanceof ConfigError && error.faults.length === 2,
    )
  })

  const resolved: readonly (readonly [version: string, field: string | undefined, flag: boolean])[] = [
    ['v1.18.9', undefined, true],
    ['v1.19.14', SYSTEMD_RESOLV_CONF, false],
    ['v1.30.0', SYSTEMD_RESOLV_CONF, false],
    ['v1.36.2', SYSTEMD_RESOLV_CONF, false],
  ]
  for (const [version, field, flag] of resolved) {
    test(`systemd-resolved is told to the kubelet of ${version} by ${flag ? 'a flag' : 'its configuration'}`, () => {
      const facts = { ...GOLDEN_FACTS, systemdResolved: true }
      const config = configOf(version, {})
      assert.equal(completeKubelet(config, facts).configuration.resolvConf, field)
      assert.equal(kubeletFlagsFile(config, facts).includes(`--resolv-conf=${SYSTEMD_RESOLV_CONF}`), flag)
    })
  }
})

describe('kubeletFiles()', () => {
  const last = (files: ReturnType<typeof kubeletFiles>['files']): JsonObject =>
    parse(String(files.at(-1)?.content)) as JsonObject

  test('kubeletFiles() patches before the instance configuration, which wins', () => {
    const apply = (target: string, object: JsonObject): JsonObject => ({
      ...object,
      maxPods: target === 'kubeletconfiguration' ? 7 : 0,
      containerRuntimeEndpoint: 'unix:///patched.sock',
    })
    const { files } = kubeletFiles(configOf('v1.36.2', {}), GOLDEN_FACTS, apply)
    assert.equal(last(files).maxPods, 7)
    assert.equal(last(files).containerRuntimeEndpoint, 'unix:///run/containerd/containerd.sock')
    assert.deepEqual(
      files.map(({ path, mode }) => [path, mode]),
      [
        ['/var/lib/kubelet/kubeadm-flags.env', 0o644],
        ['/var/lib/kubelet/instance-config.yaml', 0o644],
        ['/var/lib/kubelet/config.yaml', 0o644],
      ],
    )
  })

  test('kubeletFiles() knows no patches for the kubelet before 1.25', () => {
    const apply = (_: string, object: JsonObject): JsonObject => ({ ...object, maxPods: 7 })
    assert.equal(last(kubeletFiles(configOf('v1.24.3', {}), GOLDEN_FACTS, apply).files).maxPods, undefined)
    assert.equal(last(kubeletFiles(configOf('v1.25.9', {}), GOLDEN_FACTS, apply).files).maxPods, 7)
  })

  test('kubeletFlagsFile() compares the node name with the host name in lower case', () => {
    const flags = kubeletFlagsFile(configOf('v1.36.2', {}), { ...GOLDEN_FACTS, hostname: ' N1\n' })
    assert.equal(flags, 'KUBELET_KUBEADM_ARGS=""\n')
  })
})

describe('rotatedKubeconfig()', () => {
  const KUBECONFIG = `apiVersion: v1
clusters: []
contexts:
- context: {cluster: kubernetes, user: system:node:n1}
  name: c
current-context: c
kind: Config
users:
- name: other
  user: {token: t}
- name: system:node:n1
  user: {client-certificate-data: YQ==, client-key-data: Yg==}
`

  test('rotatedKubeconfig() points the node to the file that is rotated', () => {
    assert.deepEqual((parse(rotatedKubeconfig(KUBECONFIG, '/p.pem')) as JsonObject).users, [
      { name: 'other', user: { token: 't' } },
      { name: 'system:node:n1', user: { 'client-certificate': '/p.pem', 'client-key': '/p.pem' } },
    ])
  })

  const faults: readonly (readonly [from: string, to: string, reason: RegExp])[] = [
    ['current-context: c', 'current-context: ""', /no current context/],
    ['name: c\n', 'name: d\n', /no context "c"/],
    ['- name: system:node:n1', '- name: nobody', /no user "system:node:n1"/],
  ]
  for (const [from, to, reason] of faults) {
    test(`rotatedKubeconfig() says ${reason}`, () => {
      assert.throws(() => rotatedKubeconfig(KUBECONFIG.replace(from, to), '/p.pem'), reason)
    })
  }

  test('rotatedCertificatePath() follows the kubelet argument cert-dir', () => {
    const config = configOf('v1.36.2', { node: '\n  kubeletExtraArgs: [{name: cert-dir, value: /srv/pki/}]' })
    assert.equal(rotatedCertificatePath(config), '/srv/pki/kubelet-client-current.pem')
    assert.equal(rotatedCertificatePath(configOf('v1.36.2', {})), '/var/lib/kubelet/pki/kubelet-client-current.pem')
  })
})
