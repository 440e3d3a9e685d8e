import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, type Fault } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { kubeletConfiguration } from '../../lib/kubeadm/component-configs/kubelet-config.ts'
import { validateConfig } from '../../lib/kubeadm/config/config-file.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

const FACTS: HostFacts = {
  hostname: 'host',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.9' },
  loopbackAddress: {},
}

const INIT = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n'
const CLUSTER = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n'
const KUBELET = `${CLUSTER}---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n`
const PROXY = `${CLUSTER}---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n`

function faultsOf(run: () => unknown): readonly Fault[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.faults
  }
  return []
}

/** Of init and of validate, which say the same. */
function reasonsOf(text: string): readonly string[] {
  const told = (run: () => unknown): string[] =>
    faultsOf(run).map(({ line, field, reason }) => `${line} ${field}: ${reason}`)
  const validated = told(() => validateConfig({ text, file: 'f.yaml', detectCriSocket: false }, FACTS))
  assert.deepEqual(
    told(() => loadInitConfig({ text, file: 'f.yaml' }, FACTS)),
    validated,
  )
  return validated
}

describe('what to do about a field that nobody reads', () => {
  const rows: readonly (readonly [text: string, advice: RegExp])[] = [
    [`${CLUSTER}clustername: a\n`, /did you mean "clusterName"/],
    [`${CLUSTER}networking: {pod_subnet: 10.0.0.0/16}\n`, /did you mean "podSubnet"/],
    [`${CLUSTER}podSubnet: 10.0.0.0/16\n`, /it belongs in networking\.podSubnet of ClusterConfiguration/],
    [`${INIT}podSubnet: 10.0.0.0/16\n`, /it belongs in networking\.podSubnet of ClusterConfiguration/],
    [`${CLUSTER}pod-network-cidr: 10.0.0.0/16\n`, /it belongs in networking\.podSubnet of ClusterConfiguration/],
    [`${CLUSTER}serviceCidr: 10.0.0.0/16\n`, /it belongs in networking\.serviceSubnet of ClusterConfiguration/],
    [`${INIT}advertiseAddress: 10.0.0.1\n`, /it belongs in localAPIEndpoint\.advertiseAddress of InitConfiguration/],
    [`${INIT}clusterName: a\n`, /it belongs in clusterName of ClusterConfiguration/],
    [`${INIT}certSANs: [a]\n`, /it belongs in apiServer\.certSANs of ClusterConfiguration/],
    [`${INIT}maxPods: 5\n`, /it belongs in maxPods of KubeletConfiguration/],
    [`${CLUSTER}proxy: {mode: ipvs}\n`, /it belongs in .*mode of KubeProxyConfiguration/],
    [`${KUBELET}criSocket: unix:///x\n`, /it belongs in nodeRegistration\.criSocket of/],
    [`${PROXY}podSubnet: 10.0.0.0/16\n`, /it belongs in networking\.podSubnet of ClusterConfiguration/],
    [`${PROXY}ipvs: {strictArp: true}\n`, /did you mean "strictARP"/],
    [`${INIT}nodeName: n1\n`, /it is nodeRegistration\.name of InitConfiguration .*now/],
    [`${INIT}api: {advertiseAddress: 10.0.0.1}\n`, /it is localAPIEndpoint of InitConfiguration .*now/],
    [`${CLUSTER}apiServerExtraArgs: {a: b}\n`, /it is apiServer\.extraArgs of ClusterConfiguration now/],
    [`${INIT}tokenTTL: 1h\n`, /it is ttl of an item of bootstrapTokens/],
    [`${CLUSTER}apiServer: {timeoutForControlPlane: 4m}\n`, /it is timeouts\.controlPlaneComponentHealthCheck of Init/],
    [`${INIT}frobnicate: 1\n`, /the field is unknown; here are bootstrapTokens, /],
    [`${KUBELET}frobnicate: 1\n`, /the field is unknown; see "config print"/],
  ]
  for (const [text, advice] of rows) {
    test(text.trim().split('\n').at(-1) ?? '', () => {
      const reasons = reasonsOf(text)
      assert.equal(reasons.length, 1, reasons.join('\n'))
      assert.match(reasons[0] ?? '', advice)
      assert.doesNotMatch(reasons[0] ?? '', /remove|delete/)
    })
  }

  test('a file of an alpha version is told what each of its fields is called now', () => {
    const text = `apiVersion: kubeadm.k8s.io/v1alpha2
kind: MasterConfiguration
api: {advertiseAddress: 10.0.0.1}
nodeName: n1
noTaintMaster: true
`
    const faults = faultsOf(() => validateConfig({ text, file: 'f.yaml' }, FACTS))
    assert.deepEqual(
      faults.map(({ line, field }) => `${line} ${field}`),
      ['1 apiVersion', '2 kind', '3 api', '4 nodeName', '5 noTaintMaster'],
    )
    assert.match(faults[1]?.reason ?? '', /InitConfiguration and ClusterConfiguration/)
  })
})

describe('values of a wrong type: quotes that are missing or too many, units, lists', () => {
  const rows: readonly (readonly [text: string, advice: string])[] = [
    [`${CLUSTER}kubernetesVersion: 1.30\n`, 'put it in quotes: "1.30"'],
    [`${CLUSTER}kubernetesVersion: 1.36 # the newest\n`, 'put it in quotes: "1.36"'],
    [`${CLUSTER}apiServer: {extraArgs: [{name: v, value: 4}]}\n`, 'put it in quotes: "4"'],
    [`${CLUSTER}apiServer:\n  extraArgs:\n  - name: a\n    value: yes\n`, 'put it in quotes: "yes"'],
    [`${CLUSTER}apiServer:\n  certSANs:\n  - 1.10\n`, 'put it in quotes: "1.10"'],
    [`${CLUSTER}clusterName: 010\n`, 'put it in quotes: "010"'],
    [`${INIT}localAPIEndpoint: {bindPort: "6443"}\n`, 'take the quotes off: 6443'],
    [`${KUBELET}failSwapOn: "False"\n`, 'take the quotes off: false'],
    [`${KUBELET}evictionHard: {nodefs.available: 0}\n`, 'put it in quotes: "0"'],
    [
      'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nscheduler: {extraArgs: {v: 4}}\n',
      'put it in quotes: "4"',
    ],
    [`${INIT}bootstrapTokens: [{token: 123456}]\n`, 'put it in quotes'],
    [`${INIT}bootstrapTokens: [{ttl: 24}]\n`, 'write it with its unit: 24s, 24m or 24h'],
    [`${INIT}bootstrapTokens: [{ttl: 2d}]\n`, 'there are no days; write 48h'],
    [`${INIT}skipPhases: preflight\n`, 'put it in brackets: ["preflight"]'],
    [`${CLUSTER}apiServer: {extraVolumes: {name: a}}\n`, 'begin each item with "- "'],
    [`${INIT}nodeRegistration: {taints: ["a=b:NoSchedule"]}\n`, 'write {key: a, value: "b", effect: NoSchedule}'],
    [`${CLUSTER}controlPlaneEndpoint: https://a:6443\n`, 'leave "https://" out'],
    [`${CLUSTER}imageRepository: https://registry.example/k8s\n`, 'leave "https://" out'],
    [`${CLUSTER}apiServer: {certSANs: ["http://a"]}\n`, 'leave "http://" out'],
  ]
  for (const [text, advice] of rows) {
    test(text.trim().split('\n').slice(2).join(' '), () => {
      const reasons = reasonsOf(text)
      assert.equal(reasons.length, 1, reasons.join('\n'))
      assert.ok(reasons[0]?.endsWith(advice), reasons[0])
    })
  }
})

describe('what a faulty line looks like', () => {
  const rows: readonly (readonly [line: string, looks: RegExp])[] = [
    ['imageRepository: {{ .Values.repository }}', /"\{\{ \.Values\.repository \}\}" looks like a template/],
    ['{{- if .Values.x }}', /looks like a template/],
    ['{% if x %}', /looks like a template/],
    ['controlPlaneEndpoint: <%= @endpoint %>', /"<%= @endpoint %>" looks like a template/],
    [`kubernetesVersion: \${VERSION}`, /"\$\{VERSION\}" looks like a variable/],
    ['kubernetesVersion: $VERSION', /"\$VERSION" looks like a variable/],
    ['kubernetesVersion: __VERSION__', /looks like a variable/],
    ['kubernetesVersion: @VERSION@', /looks like a variable/],
    ['controlPlaneEndpoint: <LOAD_BALANCER>:6443', /looks like a variable/],
    ['kubernetesVersion: \u201cv1.36.2\u201d', /quotation mark of a word processor/],
    ['kubernetesVersion\uff1av1.36.2', /not an ASCII sign; write ":"/],
    ['\u00a0clusterName: a', /not the one of the space bar/],
    ['kubernetesVersion: v1.36.2\n  clusterName: a', /the next one is indented too far/],
    ['kubernetesVersion:v1.36.2\nclusterName: a', /write a blank after the colon/],
    ['networking:\n  podSubnet: 10.0.0.0/16\n   serviceSubnet: 10.1.0.0/16', /indented/],
    ['networking:\n\tpodSubnet: 10.0.0.0/16', /a tab cannot indent in YAML; use blanks/],
  ]
  for (const [line, looks] of rows) {
    test(JSON.stringify(line), () => {
      const reasons = reasonsOf(`${CLUSTER}${line}\n`)
      assert.ok(
        reasons.some(reason => looks.test(reason)),
        reasons.join('\n'),
      )
    })
  }

  test('nothing is said of lines without a fault, nor of comments', () => {
    assert.deepEqual(reasonsOf(`${CLUSTER}# {{ x }}\nclusterName: "\${NAME}"\n`), [])
    assert.doesNotMatch(reasonsOf(`${CLUSTER}kubernetesVersion: foo # {{ x }}\n`).join(), /template/)
  })

  test('a secret is not shown', () => {
    const said = reasonsOf(`${INIT}certificateKey: abc$ecret\n`).join()
    assert.match(said, /the value looks like a variable/)
    assert.doesNotMatch(said, /ecret\b/)
  })
})

describe('strictness has degrees', () => {
  const noticesOf = (text: string): string =>
    validateConfig({ text, file: 'f.yaml', detectCriSocket: false }, FACTS).notices.join('\n')

  test('a field of another release is a warning', () => {
    const text = KUBELET.replace('---', 'kubernetesVersion: v1.30.2\n---')
    assert.match(noticesOf(`${text}failCgroupV1: false\n`), /f\.yaml:7: .*failCgroupV1: .*came with 1\.31.*left out/)
  })

  test('on the first day of a release a field that nobody knows is a warning, and a wrong type is a fault', () => {
    const text = KUBELET.replace('---', 'kubernetesVersion: v1.37.0\n---')
    assert.match(noticesOf(`${text}newThing: {a: 1}\n`), /newThing: no release known here has it; it is written/)
    assert.match(reasonsOf(`${text}maxPods: many\n`).join(), /whole number/)
    assert.match(reasonsOf(`${KUBELET}newThing: 1\n`).join(), /unknown/)
  })

  test('and it is written, for the release knows what it means; a field of another release and metadata are not', () => {
    const written = (version: string, fields: string): JsonObject => {
      const text = `${KUBELET.replace('---', `kubernetesVersion: ${version}\n---`)}${fields}`
      return kubeletConfiguration(loadInitConfig({ text, file: 'f.yaml' }, FACTS).config, FACTS)
    }
    const first = written('v1.37.0', 'newThing: {a: 1}\nlogging: {newer: 5}\nmetadata: {name: config}\n')
    assert.deepEqual(first.newThing, { a: 1 })
    assert.equal((first.logging as JsonObject).newer, 5)
    assert.equal(first.metadata, undefined)
    assert.equal(written('v1.30.2', 'failCgroupV1: false\n').failCgroupV1, undefined)
    assert.equal(written('v1.36.2', 'failCgroupV1: false\n').failCgroupV1, false)
  })

  test('metadata, which kind writes, is a warning in every kind', () => {
    const text = [INIT, CLUSTER, KUBELET.split('---\n')[1] ?? '', PROXY.split('---\n')[1] ?? '']
      .map(document => `${document}metadata: {name: config}\n`)
      .join('---\n')
    assert.equal(noticesOf(text).match(/metadata: it holds no setting/g)?.length, 4)
    assert.ok(loadInitConfig({ text, file: 'f.yaml' }, FACTS))
  })

  test("another tool's configuration is recognised, and never passed over", () => {
    const kind = 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnodes: []\n'
    for (const text of [kind, `${CLUSTER}---\n${kind}`, 'kind: Cluster\nnodes: []\n']) {
      assert.match(reasonsOf(text).join(), /configuration of kind: .*docs\/migrate\.md/)
    }
    const k3d = 'apiVersion: k3d.io/v1alpha5\nkind: Simple\nservers: 1\n'
    assert.match(reasonsOf(k3d).join(), /configuration of k3d: .*docs\/migrate\.md/)
  })
})
