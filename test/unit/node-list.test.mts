/** Lists of nodes in files: ours, and kind's Cluster file. */
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../lib/base/errors.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { readKindCluster } from '../../lib/kubeadm/node-list/kind-cluster.ts'
import { documentsText } from '../../lib/kubeadm/node-list/kubeadm-patches.ts'
import { readNodeList } from '../../lib/kubeadm/node-list/node-list.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const LIST = `nodes:
  - role: worker
    name: db
    labels: { disk: ssd, example.org/tier: "1" }
    taints: [dedicated=db:NoSchedule, { key: x, effect: NoExecute }]
    version: v1.36.2
    ports: ["8080:80", "127.0.0.1:8443:443", "[::1]:9000:90", "8080:53/udp", "81:81/TCP"]
    folders: [/srv/data:/data, /srv/conf:/conf:ro]
  - role: control-plane
`

test('a list of nodes has the first control plane, which is the machine, at its beginning', () => {
  const { nodes, version } = readNodeList(LIST, 'n.yaml')
  assert.equal(version, undefined)
  assert.deepEqual(nodes[0], { role: 'control-plane', labels: {}, ports: [], folders: [] })
  assert.deepEqual(nodes[1], {
    role: 'worker',
    name: 'db',
    labels: { disk: 'ssd', 'example.org/tier': '1' },
    taints: [
      { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
      { key: 'x', effect: 'NoExecute' },
    ],
    version: 'v1.36.2',
    ports: [
      { hostPort: 8080, nodePort: 80 },
      { address: '127.0.0.1', hostPort: 8443, nodePort: 443 },
      { address: '::1', hostPort: 9000, nodePort: 90 },
      { protocol: 'UDP', hostPort: 8080, nodePort: 53 },
      { hostPort: 81, nodePort: 81 },
    ],
    folders: [
      { from: '/srv/data', to: '/data', readOnly: false },
      { from: '/srv/conf', to: '/conf', readOnly: true },
    ],
  })
})

test('the first node has folders elsewhere, too, and every node what others of its own folders have', () => {
  const folders = ['/a:/b', '/a:/etc/kubernetes/policies:ro', '/dev:/dev', '/run/x.sock:/run/x.sock', '/srv:/srv']
  const { nodes } = readNodeList(
    JSON.stringify([
      { role: 'control-plane', folders: ['/var/lib/kubelet:/var/lib/kubelet', ...folders] },
      { role: 'worker', folders },
    ]),
    'n.yaml',
  )
  assert.deepEqual(
    nodes.map(one => one.folders.length),
    [6, 5],
  )
})

test('the version of a cluster is that of its control planes', () => {
  const { nodes, version } = readNodeList(
    'nodes: [{role: worker, version: 1.35.3}, {role: control-plane, version: v1.36.2}, {role: control-plane}]',
    'n.yaml',
  )
  assert.equal(version, 'v1.36.2')
  assert.deepEqual(
    nodes.map(one => one.version),
    [undefined, undefined, 'v1.35.3'],
  )
})

const node = (text: string): string => `nodes: [{role: control-plane}, {role: worker, ${text}}]`

const FAULTS: readonly (readonly [text: string, faults: readonly RegExp[]])[] = [
  ['', [/the document|not a list|no control plane|empty/]],
  ['[]', [/there is no control plane among them/]],
  ['nodes: 3', [/nodes "3": it is not a list/, /no control plane/]],
  ['nodes: [{role: worker}]', [/there is no control plane among them/]],
  [
    'nodes: [{role: server}, {role: control-plane}]',
    [/nodes\.0\.role "server": it is no role; write control-plane or worker/],
  ],
  ['nodes: [1, {role: control-plane}]', [/nodes\.0 "1": it is not a mapping/]],
  [node('lables: {}'), [/nodes\.1\.lables: the field is unknown; did you mean labels/]],
  [node('name: A_b'), [/nodes\.1\.name "A_b": it is no name of a host/]],
  [node('name: ../../etc'), [/it is no name of a host/]],
  [node('labels: {a b: c}'), [/it is no name of a label/]],
  [node('labels: {a: 1}'), [/its value is not text; put it into quotes/]],
  [node('labels: {a: "b c"}'), [/it is no value of a label/]],
  [node('taints: [a]'), [/it is no taint; write it like/]],
  [node('taints: ["a=b:Never"]'), [/it is no taint/]],
  [node('ports: ["80"]'), [/it is no pair of ports/]],
  [node('ports: ["70000:80"]'), [/it is no pair of ports/]],
  [node('ports: ["1.2.3:80:80"]'), [/it is no pair of ports/]],
  [node('ports: ["80:80", "127.0.0.1:80:81"]'), [/another node has that port/]],
  [node('ports: ["80:80/udp", "127.0.0.1:80:81/udp"]'), [/another node has that port/]],
  [node('ports: ["80:80/sctp"]'), [/nodes\.1\.ports\.0 "sctp": it is not led on to nodes: TCP and UDP are/]],
  [node('folders: ["data:/data"]'), [/it is no pair of whole paths/]],
  [node('folders: ["/a:/b/../etc"]'), [/a path with "\." or "\.\."/]],
  [node('folders: ["/a:/etc/kubernetes/pki"]'), [/a node has its own there/]],
  [node('folders: ["/a:/"]'), [/a node has its own there/]],
  [node('folders: ["/a:/var/lib/kubestep/nodes"]'), [/a node has its own there/]],
  [node('folders: ["/run:/run"]'), [/nodes\.1\.folders "\/run": a node has its own there/]],
  [node('folders: ["/a:/var"]'), [/a node has its own there/]],
  ['nodes: [{role: control-plane, folders: ["/a:/etc"]}]', [/a node has its own there/]],
  [node('version: "1.36"'), [/it is no version/]],
  [
    'nodes: [{role: control-plane, version: v1.36.2}, {role: control-plane, version: v1.35.1}]',
    [/nodes\.1\.version "v1\.35\.1": all control planes have one version/],
  ],
  ['nodes: [{role: control-plane, name: a}, {role: worker, name: a}]', [/another node has that name/]],
  [`nodes: [${Array.from({ length: 101 }, () => '{role: control-plane}').join(', ')}]`, [/there are 101 nodes/]],
  // All of it at once.
  [node('name: A, ports: [x], labels: {a: 1}'), [/no name of a host/, /no pair of ports/, /put it into quotes/]],
  ['nodes: [{role: control-plane}', [/n\.yaml:1/]],
]

for (const [text, reasons] of FAULTS) {
  test(`refused as a list of nodes: ${text.slice(0, 60)}`, () => {
    assert.throws(
      () => readNodeList(text, 'n.yaml'),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error))
        for (const reason of reasons) assert.match(error.message, reason)
        return true
      },
    )
  })
}

const HEAD = 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n'
const whole = (path: string): string => posix.resolve('/home/me', path)
const kind = (text: string): ReturnType<typeof readKindCluster> => readKindCluster(HEAD + text, 'k.yaml', whole)

test("kind's file is read: nodes, and what it says of the cluster as kubeadm has it", () => {
  const { nodes, documents, flags } = kind(`
name: demo
networking: { podSubnet: 10.1.0.0/16, apiServerPort: 7443, apiServerAddress: 192.0.2.7, disableDefaultCNI: true, kubeProxyMode: none }
featureGates: { A: true, B: false }
runtimeConfig: { api/alpha: "true" }
kubeadmConfigPatches:
- |
  kind: ClusterConfiguration
  apiServer:
    extraArgs: { v: 4, feature-gates: C=true }
- |
  kind: JoinConfiguration
  nodeRegistration:
    kubeletExtraArgs: { node-labels: "all=yes" }
nodes:
- role: worker
  image: kindest/node:v1.35.1@sha256:${'a'.repeat(64)}
  labels: { tier: front }
  extraMounts: [{ hostPath: ./data, containerPath: /data/, readOnly: true }]
  extraPortMappings: [{ containerPort: 80, hostPort: 8080, protocol: TCP, listenAddress: 0.0.0.0 }, { containerPort: 53, hostPort: 53, protocol: udp }]
- role: control-plane
  image: kindest/node:v1.35.1
  kubeadmConfigPatches:
  - "kind: InitConfiguration\\nnodeRegistration: { kubeletExtraArgs: { node-labels: ingress-ready=true } }"
`)
  assert.deepEqual(nodes, [
    { role: 'control-plane', labels: {}, ports: [], folders: [] },
    {
      role: 'worker',
      labels: { tier: 'front', all: 'yes' },
      ports: [
        { hostPort: 8080, nodePort: 80 },
        { protocol: 'UDP', hostPort: 53, nodePort: 53 },
      ],
      folders: [{ from: '/home/me/data', to: '/data', readOnly: true }],
    },
  ])
  assert.deepEqual(flags, { cni: 'none', 'skip-phases': 'addon/kube-proxy' })
  const { config } = loadInitConfig({ text: documentsText(documents), file: 'k' }, GOLDEN_FACTS)
  const { cluster, init } = config
  assert.equal(cluster.kubernetesVersion, 'v1.35.1')
  assert.equal(cluster.clusterName, 'demo')
  assert.equal(cluster.networking.podSubnet, '10.1.0.0/16')
  assert.deepEqual(cluster.apiServer.certSANs, ['192.0.2.7'])
  assert.equal(init.localAPIEndpoint.bindPort, 7443)
  assert.deepEqual(init.nodeRegistration.kubeletExtraArgs, [{ name: 'node-labels', value: 'ingress-ready=true' }])
  assert.deepEqual(cluster.apiServer.extraArgs, [
    { name: 'runtime-config', value: 'api/alpha=true' },
    { name: 'v', value: '4' },
    { name: 'feature-gates', value: 'C=true' },
  ])
  assert.deepEqual(config.kubelet.document.featureGates, { A: true, B: false })
})

test('a worker of another image has another version, and the cluster that of its control planes', () => {
  const { nodes, documents } = kind(
    'nodes: [{role: worker, image: "kindest/node:v1.35.3"}, {image: "kindest/node:v1.36.2"}, {role: worker, image: "kindest/node:v1.36.2"}, {role: worker}]',
  )
  assert.deepEqual(
    nodes.map(one => one.version),
    [undefined, 'v1.35.3', undefined, undefined],
  )
  assert.equal(documents.ClusterConfiguration?.kubernetesVersion, 'v1.36.2')
})

test('labels of kind are text however they are written', () => {
  const { nodes } = kind('nodes:\n- {}\n- role: worker\n  labels: { gpu: true, tier: 1.10, zone: "2" }')
  assert.deepEqual(nodes[1]?.labels, { gpu: 'true', tier: '1.10', zone: '2' })
})

test('what kind has a node join with, piece by piece: labels, taints, flags of its kubelet', () => {
  const patch = (text: string): string => JSON.stringify(`kind: JoinConfiguration\nnodeRegistration: ${text}`)
  const { nodes } = kind(`
kubeadmConfigPatches:
- ${patch('{ kubeletExtraArgs: { node-labels: "a=1,b=2", v: 2 }, taints: [{ key: x, effect: NoSchedule }] }')}
- ${patch('{ kubeletExtraArgs: [{ name: max-pods, value: "20" }] }')}
nodes:
- {}
- role: worker
  kubeadmConfigPatches:
  - ${patch('{ kubeletExtraArgs: { node-labels: b=3, v: "5", register-with-taints: "d=e:NoExecute" } }')}
- role: worker
`)
  const taints = [{ key: 'x', effect: 'NoSchedule' }]
  const flags = nodes.map(one => one.kubeletArgs?.map(({ name, value }) => `${name}=${value}`))
  assert.deepEqual(flags, [
    undefined,
    ['max-pods=20', 'v=5', 'register-with-taints=d=e:NoExecute'],
    ['v=2', 'max-pods=20'],
  ])
  assert.deepEqual(
    nodes.slice(1).map(one => [one.labels, one.taints]),
    [
      [{ a: '1', b: '3' }, taints],
      [{ a: '1', b: '2' }, taints],
    ],
  )
})

test('mounts of kind: of files, elsewhere on the machine itself, and seen by both sides', () => {
  const mount = (text: string): string => `{hostPath: /srv/a, containerPath: /b, propagation: ${text}}`
  const { nodes } = kind(
    `nodes: [{extraMounts: [${mount('Bidirectional')}]}, {role: worker, extraMounts: [${mount('HostToContainer')}, {hostPath: ./policy.yaml, containerPath: /etc/kubernetes/audit/policy.yaml, propagation: None}]}]`,
  )
  assert.deepEqual(
    nodes.map(one => one.folders.map(({ from, to, isShared }) => [from, to, isShared])),
    [
      [['/srv/a', '/b', true]],
      [
        ['/srv/a', '/b', undefined],
        ['/home/me/policy.yaml', '/etc/kubernetes/audit/policy.yaml', undefined],
      ],
    ],
  )
})

for (const [table, line] of [
  ['"io.containerd.grpc.v1.cri".registry', 'config_path = "/etc/containerd/certs.d"'],
  ["'io.containerd.cri.v1.images'.registry", 'config_path = "/etc/containerd/certs.d"'],
  ['"io.containerd.grpc.v1.cri"', 'enable_cdi = true'],
  ["'io.containerd.cri.v1.runtime'", 'enable_cdi = true'],
] as const) {
  test(`what containerd does anyway: ${table} ${line}`, () => {
    const patch = `[plugins.${table}]\n  ${line}\n`
    assert.equal(kind(`containerdConfigPatches: [${JSON.stringify(patch)}]`).nodes.length, 1)
    const more = `${patch}  other = true\n`
    assert.throws(() => kind(`containerdConfigPatches: [${JSON.stringify(more)}]`), /containerdConfigPatches\.0/)
  })
}

test('a file of kind that says nothing is one control plane', () => {
  assert.deepEqual(kind('').nodes, [{ role: 'control-plane', labels: {}, ports: [], folders: [] }])
  assert.match(documentsText(kind('').documents), /kind: ClusterConfiguration/)
})

for (const [family, pods] of [
  ['ipv6', /^fd00/],
  ['dual', /^10\.244.*,fd00/],
] as const) {
  test(`ipFamily ${family}`, () => {
    const { ClusterConfiguration } = kind(`networking: { ipFamily: ${family} }`).documents
    assert.match(JSON.stringify(ClusterConfiguration), new RegExp(`"podSubnet":"${pods.source.slice(1)}`))
  })
}

const UNMEANT: readonly (readonly [text: string, faults: readonly RegExp[]])[] = [
  ['node: []', [/Cluster node: the field is unknown; did you mean nodes/]],
  ['nodes: [{role: master}]', [/nodes\.0\.role "master": it is no role/]],
  ['nodes: [{image: example.org/my-node:1}]', [/only images kindest\/node:VERSION/]],
  [
    'nodes: [{image: "kindest/node:v1.35.1"}, {image: "kindest/node:v1.34.0"}]',
    [/nodes\.1\.image "v1\.34\.0": all control planes have one version/],
  ],
  [
    'nodes: [{extraPortMappings: [{containerPort: 53, hostPort: 53, protocol: SCTP}]}]',
    [/protocol "SCTP": it is not led on to nodes: TCP and UDP are/],
  ],
  ['nodes: [{extraPortMappings: [{containerPort: 53}]}]', [/hostPort: it is no port/]],
  [
    'nodes: [{extraMounts: [{hostPath: /a, containerPath: /etc}]}]',
    [/nodes\.0\.extraMounts "\/etc": a node has its own/],
  ],
  [
    'nodes: [{extraMounts: [{hostPath: /a, containerPath: /b, propagation: Both}]}]',
    [/propagation "Both": it is none of/],
  ],
  [
    'nodes: [{role: control-plane}, {role: worker, extraMounts: [{hostPath: /a, containerPath: /b, propagation: Bidirectional}]}]',
    [/nodes\.1\.extraMounts "\/b": what is mounted in a node is not seen on the machine/],
  ],
  ['nodes: [{kubeadmConfigPatchesJSON6902: [{kind: x}]}]', [/such patches are not taken/]],
  ['kubeadmConfigPatchesJSON6902: [{kind: x}]', [/such patches are not taken/]],
  ['containerdConfigPatches: ["a"]', [/containerdConfigPatches\.0: .*--registry/]],
  [
    'kubeadmConfigPatches: ["kind: JoinConfiguration\\nnodeRegistration: {kubeletExtraArgs: {cgroup-root: /x}}"]',
    [/nodeRegistration\.kubeletExtraArgs\.cgroup-root": nodes of this machine have their own/],
  ],
  ['networking: {dnsSearch: [a]}', [/resolv\.conf/]],
  ['networking: {kubeProxyMode: fast}', [/none of iptables, ipvs, nftables, none/]],
  ['kubeadmConfigPatches: ["kind: Foo"]', [/it is of no kind that there is/]],
  ['kubeadmConfigPatches: ["a: ["]', [/line 2 of it/]],
  [
    'kubeadmConfigPatches: ["kind: JoinConfiguration\\ndiscovery: {}"]',
    [/"discovery": of a node that joins labels, taints and flags of its kubelet are taken/],
  ],
  ['featureGates: {A: maybe}', [/featureGates\.A "maybe": write true or false/]],
  ['nodes: {}', [/it is not a list/]],
  [
    'networking: {dnsSearch: [a]}\ncontainerdConfigPatches: ["a"]\nnodes: [{role: x}, {image: y}]',
    [/dnsSearch/, /containerdConfigPatches/, /nodes\.0\.role/, /nodes\.1\.image/],
  ],
]

for (const [text, reasons] of UNMEANT) {
  test(`what a file of kind cannot mean is named: ${text.slice(0, 60)}`, () => {
    assert.throws(
      () => kind(text),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error))
        for (const reason of reasons) assert.match(error.message, reason)
        return true
      },
    )
  })
}

for (const text of [
  '',
  'a',
  '- 1',
  'kind: Cluster',
  'kind: Pod\napiVersion: v1',
  `${HEAD}---\n${HEAD}`,
  '\0',
  'kind: [',
]) {
  test(`no file of kind: ${JSON.stringify(text)}`, () => {
    assert.throws(() => readKindCluster(text, 'k.yaml', whole), ConfigError)
  })
}
