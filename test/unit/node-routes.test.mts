/** Routes to other nodes' Pods: which are wanted, and what has to change for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../lib/base/json.ts'
import { cniConfig } from '../../lib/machine/network/cni.ts'
import { restoreText } from '../../lib/machine/network/firewall-rules.ts'
import { nodePodRanges } from '../../lib/machine/network/pod-network.ts'
import { mtuOf, routeSteps, routesIn } from '../../lib/machine/network/pod-routes.ts'
import { rangesOf, wantedRoutes } from '../../lib/phases/agent/node-routes.ts'

const node = (name: string, ranges: readonly string[], addresses: readonly string[]): JsonObject => ({
  metadata: { name },
  spec: { ...(ranges[0] !== undefined && { podCIDR: ranges[0], podCIDRs: ranges as Json }) },
  status: {
    addresses: [
      ...addresses.map((address): Json => ({ type: 'InternalIP', address })),
      { type: 'ExternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: name },
    ],
  },
})

const four = (subnet: string, via: string) => ({ family: 4, subnet, via }) as const

const WANTED: readonly (readonly [what: string, nodes: readonly JsonObject[], routes: readonly object[]])[] = [
  ['none to itself', [node('me', ['10.244.0.0/24'], ['10.0.0.1'])], []],
  ['one to another', [node('n2', ['10.244.1.0/24'], ['10.0.0.2'])], [four('10.244.1.0/24', '10.0.0.2')]],
  [
    'one for each family',
    [node('n2', ['10.244.1.0/24', 'fd01::/64'], ['10.0.0.2', 'fd00::2'])],
    [four('10.244.1.0/24', '10.0.0.2'), { family: 6, subnet: 'fd01::/64', via: 'fd00::2' }],
  ],
  [
    'none by an address of the other family',
    [node('n2', ['10.244.1.0/24', 'fd01::/64'], ['10.0.0.2'])],
    [four('10.244.1.0/24', '10.0.0.2')],
  ],
  ['none for a node without a range', [node('n2', [], ['10.0.0.2'])], []],
  ['none for a node that has no address yet', [node('n2', ['10.244.1.0/24'], [])], []],
]

for (const [what, nodes, routes] of WANTED) {
  test(`wanted routes: ${what}`, () => assert.deepEqual(wantedRoutes(nodes.map(rangesOf), 'me'), routes))
}

test('a Node of a release that knows podCIDR alone', () => {
  assert.deepEqual(rangesOf({ metadata: { name: 'a' }, spec: { podCIDR: '10.244.3.0/24' } }).ranges, [
    { subnet: '10.244.3.0/24', family: 4 },
  ])
})

test('routes are read as ip prints them', () => {
  const output = '10.244.1.0/24 via 172.30.0.52 dev host0 \n10.244.9.0/24 dev cni0 scope link \n'
  assert.deepEqual(routesIn(output, 4), [four('10.244.1.0/24', '172.30.0.52')])
})

test('what is there stays, what moved is replaced, what is gone goes', () => {
  const [stays, moved, gone] = [four('10.244.1.0/24', 'a'), four('10.244.2.0/24', 'b'), four('10.244.3.0/24', 'c')]
  const steps = routeSteps([stays, moved, gone], [stays, { ...moved, via: 'd' }])
  assert.deepEqual(steps, { add: [{ ...moved, via: 'd' }], remove: [gone] })
})

const RULES = { family: 4, podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/12', ports: [6443] } as const

test('ranges of other nodes are let through before what is nobody’s is refused', () => {
  const lines = restoreText({ ...RULES, others: ['10.244.1.0/24'] }).split('\n')
  for (const chain of ['KUBESTEP-FORWARD', 'KUBESTEP-OUTPUT']) {
    const own = lines.filter(line => line.startsWith(`-A ${chain} `))
    const accepted = own.findIndex(line => line.includes('-d 10.244.1.0/24 -j ACCEPT'))
    assert.ok(accepted >= 0 && accepted < own.findIndex(line => /-d 10\.244\.0\.0\/16 .*REJECT/.test(line)), chain)
  }
})

test('only what leaves the Pod network gets the machine’s address', () => {
  const [, nat = ''] = restoreText(RULES).split('*nat')
  assert.match(nat, /-s 10\.244\.0\.0\/16 -d 10\.244\.0\.0\/16 -j RETURN[\s\S]*-s 10\.244\.0\.0\/16 -j MASQUERADE/)
})

test('the node’s range follows the mask that the controller manager is told', () => {
  const networking = { podSubnet: '10.244.0.0/16,fd01::/48' }
  assert.deepEqual(
    nodePodRanges(networking).map(({ subnet }) => subnet),
    ['10.244.0.0/24', 'fd01::/64'],
  )
  assert.deepEqual(
    nodePodRanges(networking, { 4: 26, 6: 80 }).map(({ subnet }) => subnet),
    ['10.244.0.0/26', 'fd01::/80'],
  )
})

test('Pods have packets as large as the way carries', () => {
  const bridge = (mtu?: number): JsonObject => (cniConfig([], '/d', mtu).plugins as JsonObject[])[0] ?? {}
  assert.deepEqual(
    [bridge().mtu, bridge(1500).mtu, bridge(1450).mtu, bridge(9001).mtu],
    [undefined, undefined, 1450, 9001],
  )
})

test('an address on the loopback says nothing of how large packets may be', () => {
  assert.equal(mtuOf('127.0.0.1'), undefined)
  assert.equal(mtuOf('192.0.2.77'), undefined)
})
