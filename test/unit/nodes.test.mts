/** Nodes that share a machine: which there are, what their cluster and their network are like. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSubnet, type Subnet } from '../../lib/base/address.ts'
import { type JsonObject, objectsOf } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import type { NodeSpec } from '../../lib/kubeadm/node-list/node-spec.ts'
import { networkObjects, readShared, type SharedSettings } from '../../lib/kubeadm/objects/network-objects.ts'
import { nodeAddresses, nodeRange, nodeRanges } from '../../lib/machine/local-node/node-network.ts'
import { restoreText } from '../../lib/machine/network/firewall-rules.ts'
import { expectingParts, expectsNodes } from '../../lib/phases/agent/expected-nodes.ts'
import { join } from '../../lib/phases/join.ts'
import { PASSED_ON } from '../../lib/phases/nodes/node-join.ts'
import {
  countedNodes,
  forNodes,
  type NodeFlags,
  nodeCounts,
  plannedNodes,
  portForwardsOf,
  ZONE,
  zoneOf,
} from '../../lib/phases/nodes/node-plan.ts'
import { initConfig } from '../pki.ts'

test('one node is the machine itself', () => {
  assert.deepEqual(plannedNodes(countedNodes({}), 'm'), [])
  assert.deepEqual(plannedNodes(countedNodes({ nodes: '1' }), 'm'), [])
})

test('further nodes are workers, each with a name, a place and a zone', () => {
  const nodes = plannedNodes(countedNodes({ nodes: '4' }), 'm')
  assert.deepEqual(
    nodes.map(({ name, index, labels }) => [name, index, Object.values(labels)]),
    [
      ['m-worker', 2, ['zone-b']],
      ['m-worker2', 3, ['zone-c']],
      ['m-worker3', 4, ['zone-a']],
    ],
  )
  assert.equal(zoneOf(1), 'zone-a')
})

test('workers are counted without the control plane', () => {
  assert.equal(plannedNodes(countedNodes({ workers: '2' }), 'm').length, 2)
  assert.equal(plannedNodes(countedNodes({ workers: '2', nodes: '3' }), 'm').length, 2)
  assert.throws(
    () => plannedNodes(countedNodes({ workers: '2', nodes: '2' }), 'm'),
    /cannot have 2 nodes with 2 workers/,
  )
})

test('control planes come before workers, and count among the nodes', () => {
  const names = (flags: NodeFlags): string[] =>
    plannedNodes(countedNodes(flags), 'm').map(({ name, role }) => `${name} ${role}`)
  const planes = ['m-control-plane2 control-plane', 'm-control-plane3 control-plane']
  assert.deepEqual(names({ 'control-planes': '3' }), planes)
  assert.deepEqual(names({ 'control-planes': '3', workers: '1' }), [...planes, 'm-worker worker'])
  assert.deepEqual(names({ 'control-planes': '3', nodes: '4' }), [...planes, 'm-worker worker'])
  assert.deepEqual(
    plannedNodes(countedNodes({ 'control-planes': '3', workers: '1' }), 'm').map(({ index }) => index),
    [2, 3, 4],
  )
})

const CONTRADICTIONS: readonly (readonly [flags: NodeFlags, message: RegExp])[] = [
  [{ nodes: '2', 'control-planes': '3' }, /cannot have 2 nodes with 3 control planes: that makes 3;/],
  [{ nodes: '4', 'control-planes': '3', workers: '2' }, /cannot have 4 nodes with 3 control planes and 2 workers/],
]

for (const [flags, message] of CONTRADICTIONS) {
  test(`${JSON.stringify(flags)} contradict`, () => {
    assert.throws(() => nodeCounts(flags), message)
  })
}

const ENDPOINTS: readonly (readonly [given: string | undefined, bindPort: number, endpoint: string | RegExp])[] = [
  [undefined, 6443, '10.0.0.5:6444'],
  [undefined, 8443, '10.0.0.5:8444'],
  [undefined, 65_535, '10.0.0.5:65534'],
  ['k.example:7000', 6443, 'k.example:7000'],
  ['[fd00::1]:7000', 6443, '[fd00::1]:7000'],
  ['k.example:6443', 6443, /behind "k.example:6443": port 6443 .* --control-plane-endpoint k.example:6444/],
  ['k.example', 6443, /behind "k.example": port 6443 .* --control-plane-endpoint k.example:6444/],
  ['fd00::1', 6443, /--control-plane-endpoint \[fd00::1\]:6444/],
]

for (const [given, bindPort, endpoint] of ENDPOINTS) {
  test(`control planes behind ${given ?? 'nothing'}, with port ${bindPort} each`, () => {
    const config = initConfig(
      'v1.36.2',
      { ...(given !== undefined && { controlPlaneEndpoint: given }) },
      { localAPIEndpoint: { advertiseAddress: '10.0.0.5', bindPort } },
    )
    const shared = (): InitConfig => forNodes(config, countedNodes({ 'control-planes': '3' }))
    if (typeof endpoint !== 'string') return assert.throws(shared, endpoint)
    assert.equal(shared().cluster.controlPlaneEndpoint, endpoint)
    assert.equal(shared().balancerPort, Number(endpoint.split(':').at(-1)))
  })
}

test('one control plane needs no endpoint', () => {
  const { cluster, balancerPort } = forNodes(initConfig(), countedNodes({ nodes: '3' }))
  assert.equal(cluster.controlPlaneEndpoint, undefined)
  assert.equal(balancerPort, undefined)
})

test('what a list says of nodes counts, and the first is the machine', () => {
  const none = { labels: {}, ports: [], folders: [] }
  const nodes: readonly NodeSpec[] = [
    { ...none, role: 'control-plane', name: 'me', taints: [], ports: [{ hostPort: 80, nodePort: 80 }] },
    { ...none, role: 'worker', labels: { [ZONE]: 'here' }, ports: [{ hostPort: 8080, nodePort: 80 }] },
    { ...none, role: 'worker', name: 'you', ports: [{ address: '127.0.0.1', hostPort: 8081, nodePort: 80 }] },
    { ...none, role: 'worker', name: 'dns', ports: [{ protocol: 'UDP', hostPort: 53, nodePort: 53 }] },
  ]
  const config = forNodes(initConfig(), nodes)
  assert.equal(config.init.nodeRegistration.name, 'me')
  assert.deepEqual(config.nodePorts, [8080, 8081])
  assert.deepEqual(
    plannedNodes(nodes, 'me').map(({ name, labels }) => [name, labels[ZONE]]),
    [
      ['me-worker', 'here'],
      ['you', 'zone-c'],
      ['dns', 'zone-a'],
    ],
  )
  assert.deepEqual(
    portForwardsOf(nodes, index => `10.0.0.${index}`),
    [
      { port: 8080, to: { host: '10.0.0.2', port: 80 } },
      { address: '127.0.0.1', port: 8081, to: { host: '10.0.0.3', port: 80 } },
      { protocol: 'UDP', port: 53, to: { host: '10.0.0.4', port: 53 } },
    ],
  )
})

test('a machine takes a hundred nodes', () => {
  assert.equal(countedNodes({ nodes: '100' }).length, 100)
  assert.throws(() => countedNodes({ workers: '100' }), /cannot have 101 nodes: a machine takes 100 at most/)
})

test('names are no longer than a host name may be', () => {
  for (const { name } of plannedNodes(countedNodes({ nodes: '12' }), 'n'.repeat(63))) assert.ok(name.length <= 63, name)
})

test('a cluster of one stays as it is', () => {
  const config = initConfig()
  assert.equal(forNodes(config, countedNodes({})), config)
  assert.equal(forNodes(config, countedNodes({ nodes: '1' })), config)
})

test('a cluster of several gives each node addresses, and leaves the table of connections alone', () => {
  const { cluster, kubeProxy } = forNodes(initConfig(), countedNodes({ nodes: '3' }))
  assert.equal(cluster.networking.podSubnet, '10.244.0.0/16')
  assert.deepEqual(kubeProxy.document.conntrack, { maxPerCore: 0 })
})

test('what the user has set stays', () => {
  const base = initConfig('v1.36.2', {
    networking: { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local', podSubnet: '10.1.0.0/16' },
  })
  const document: JsonObject = { conntrack: { maxPerCore: 7, min: 1 } }
  const { cluster, kubeProxy } = forNodes(
    { ...base, kubeProxy: { document, userSupplied: true } },
    countedNodes({ nodes: '2' }),
  )
  assert.equal(cluster.networking.podSubnet, '10.1.0.0/16')
  assert.deepEqual(kubeProxy.document.conntrack, { maxPerCore: 7, min: 1 })
})

const EXPECTED: readonly (readonly [flags: object, expected: boolean])[] = [
  [{}, true],
  [{ profile: 'ci' }, false],
  [{ profile: 'ci', nodes: '1' }, false],
  [{ profile: 'ci', nodes: '2' }, true],
  [{ profile: 'ci', 'upload-certs': true }, true],
]

for (const [flags, expected] of EXPECTED) {
  test(`with ${JSON.stringify(flags)} nodes are ${expected ? '' : 'not '}expected`, () => {
    assert.equal(expectsNodes(initConfig('v1.36.2'), flags), expected)
  })
}

const FILE = '/etc/cni/net.d/10-kubestep.conflist'
const STORAGE = { addons: { storage: {} } }

/** What the agent does for others, and what they hear of the Pod network. */
const SHARING: readonly (readonly [
  what: string,
  podSubnet: string | undefined,
  file: string | undefined,
  shared: Parameters<typeof expectingParts>[2],
  parts: readonly string[],
  network?: string,
])[] = [
  ['our network', '10.244.0.0/16', FILE, { addons: {} }, ['shared-settings', 'node-routes'], 'bridge'],
  ['our network for one node', undefined, FILE, { addons: {} }, []],
  ['somebody else’s network', '10.244.0.0/16', undefined, { addons: {} }, []],
  ['somebody else’s network, and addons', '10.244.0.0/16', undefined, STORAGE, ['shared-settings'], 'none'],
]

for (const [what, podSubnet, file, shared, wanted, network] of SHARING) {
  test(`what is shared: ${what}`, () => {
    const networking = { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local', ...(podSubnet && { podSubnet }) }
    const parts = expectingParts(initConfig('v1.36.2', { networking }), file, shared)
    assert.deepEqual(Object.keys(parts), wanted)
    assert.equal(parts['shared-settings']?.network, network)
  })
}

test('a node that joins reads what was shared', () => {
  const shared: SharedSettings = {
    network: 'bridge',
    addons: { storage: {}, 'network-policy': { podSubnets: ['10.244.0.0/16'] } },
    registry: 'localhost:5000=http://10.0.0.1:5000',
  }
  assert.deepEqual(readShared(networkObjects(shared).find(({ kind }) => kind === 'ConfigMap')), shared)
  assert.deepEqual(readShared(undefined), { network: 'none', addons: {} })
})

test('nodes may read what their addons go by, and nothing else', () => {
  const resources = (addons: SharedSettings['addons']): unknown =>
    objectsOf(networkObjects({ network: 'bridge', addons })[0]?.rules).flatMap(rule => rule.resources)
  assert.deepEqual(resources({}), ['nodes'])
  assert.deepEqual(resources({ storage: {}, 'load-balancer': {} }), ['nodes', 'persistentvolumes'])
  assert.deepEqual(resources({ 'network-policy': {} }), ['nodes', 'namespaces', 'pods', 'networkpolicies'])
})

test('a join takes what an init hands on to its nodes', () => {
  assert.deepEqual(
    PASSED_ON.filter(name => !join.command.options.includes(name)),
    [],
  )
})

test('where the bootstrap token is left out nobody joins', () => {
  assert.equal(expectsNodes(initConfig('v1.36.2', {}, { skipPhases: ['bootstrap-token'] }), {}), false)
})

const subnets = (...texts: readonly string[]): Subnet[] =>
  texts.flatMap(text => {
    const subnet = parseSubnet(text)
    return subnet === undefined ? [] : [subnet]
  })

test('nodes get a range that nobody uses', () => {
  assert.equal(nodeRange([]), '10.241.241.0/24')
  assert.equal(nodeRange(subnets('10.241.0.0/16')), '10.242.241.0/24')
  assert.equal(nodeRange(subnets('10.0.0.0/8')), '172.29.241.0/24')
  assert.throws(
    () => nodeRange(subnets('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')),
    /cannot find a range of addresses for nodes/,
  )
})

test('addresses of nodes are those of their place, in each family', () => {
  const ranges = nodeRanges([], true)
  assert.deepEqual(nodeAddresses(ranges, 2), ['10.241.241.2', 'fd6b:7573:7465:7002::2'])
  assert.deepEqual(nodeAddresses(nodeRanges([], false), 1), ['10.241.241.1'])
})

test('nodes of a machine may go everywhere, and outside they have its address', () => {
  const settings = { family: 4, podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/12', ports: [6443] } as const
  const text = restoreText({ ...settings, nodes: { subnet: '10.241.241.0/24', bridge: 'kubestep0' } })
  for (const rule of [
    '-A KUBESTEP-INPUT -i kubestep0 -j ACCEPT',
    '-A KUBESTEP-FORWARD -i kubestep0 -j ACCEPT',
    '-A KUBESTEP-FORWARD -o kubestep0 -j ACCEPT',
    '-A KUBESTEP-POSTROUTING -s 10.241.241.0/24 -j MASQUERADE',
  ]) {
    assert.ok(text.includes(rule), rule)
  }
  assert.ok(text.indexOf('-d 10.244.0.0/16 -j RETURN') < text.indexOf('-s 10.241.241.0/24 -j MASQUERADE'))
  assert.ok(!restoreText(settings).includes('kubestep0'))
})
