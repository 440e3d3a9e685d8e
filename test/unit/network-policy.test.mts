/**
 * NetworkPolicies by reachability: nine Pods in three namespaces, what policies allow among them. The cases are those of
 * Kubernetes' own tests (test/e2e/network/netpol, v1.36), computed anew.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { containsAddress, parseAddress, parseSubnet } from '../../lib/base/address.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { podRules } from '../../lib/cluster/network-policy/pod-rules.ts'
import { policyNamespace, policyOf, policyPod } from '../../lib/cluster/network-policy/policy.ts'
import { type Allowance, type PodRules, type Protocol, policyText } from '../../lib/machine/network/policy-table.ts'
import { CASES, type Case, NAMES, namespaceObject, OUTSIDE, podObject, policyObject } from '../policy-cases.ts'

interface Call {
  readonly from: string
  readonly to: string
  readonly protocol: Protocol
  readonly port: number
}

const PORTS: readonly (readonly [Protocol, number])[] = [
  ['TCP', 80],
  ['TCP', 81],
  ['UDP', 80],
  ['UDP', 81],
  ['SCTP', 80],
]

function rulesFor({ policies, labels = {} }: Case): PodRules[] {
  return podRules({
    policies: policies.map((policy, index) => policyOf(policyObject(policy, index))),
    pods: NAMES.map((name, index) => policyPod(podObject(name, index, labels[name]))),
    namespaces: ['x', 'y', 'z'].map(name => policyNamespace(namespaceObject(name, labels[name]))),
  })
}

const ADDRESSES: Readonly<Record<string, string>> = {
  ...OUTSIDE,
  ...Object.fromEntries(NAMES.map((name, index) => [name, policyPod(podObject(name, index)).addresses[0] ?? ''])),
}

/** What a packet meets, by the values alone. */
function passes(rules: readonly PodRules[], { from, to, protocol, port }: Call): boolean {
  const [source = '', target = ''] = [ADDRESSES[from], ADDRESSES[to]]
  const lets = (allowances: readonly Allowance[] | undefined, other: string): boolean =>
    allowances?.some(allowance => {
      const { peers, ports, pairs = [] } = allowance
      const isPeer =
        peers === undefined ||
        peers.addresses.includes(other) ||
        peers.blocks.some(({ subnet, except }) => isIn(subnet, other) && !except.some(one => isIn(one, other)))
      const isPort = ports?.some(range => isOn(range, protocol, port)) ?? true
      return (isPeer && isPort) || pairs.some(pair => pair.address === other && isOn(pair, protocol, port))
    }) ?? true
  const of = (address: string): PodRules | undefined => rules.find(({ addresses }) => addresses.includes(address))
  return source === target || (lets(of(source)?.egress, target) && lets(of(target)?.ingress, source))
}

function isOn(range: { protocol: Protocol; first: number; last: number }, protocol: Protocol, port: number): boolean {
  return range.protocol === protocol && range.first <= port && port <= range.last
}

function isIn(subnet: string, address: string): boolean {
  const [range, one] = [parseSubnet(subnet), parseAddress(address)]
  return range !== undefined && one !== undefined && containsAddress(range, one)
}

/** `x/a > y/b 80 TCP`; a star stands for everything, and a word that is not there, too. */
function meets(line: string, { from, to, protocol, port }: Call): boolean {
  const [who = '', rest = ''] = line.split(' > ')
  const [whom = '', ...on] = rest.split(' ')
  const named = (pattern: string, name: string): boolean => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)
  return named(who, from) && named(whom, to) && on.every(word => word === protocol || word === `${port}`)
}

/** What the table of a case says: the last line that speaks of a call counts; nothing is in a Pod's way to itself. */
function expected(lines: readonly string[], call: Call): boolean {
  if (call.from === call.to) return true
  return (lines.findLast(line => meets(line.slice(2), call))?.[0] ?? '+') === '+'
}

for (const one of CASES) {
  test(one.name, () => {
    const rules = rulesFor(one)
    const wrong: string[] = []
    let refused = 0
    for (const from of Object.keys(ADDRESSES)) {
      for (const to of Object.keys(ADDRESSES)) {
        for (const [protocol, port] of PORTS) {
          const call = { from, to, protocol, port }
          const passing = passes(rules, call)
          if (!passing) refused++
          if (passing !== expected(one.reach, call)) wrong.push(`${from} > ${to} ${port} ${protocol}: ${passing}`)
        }
      }
    }
    assert.deepEqual(wrong, [])
    if (one.reach.some(line => line.startsWith('-'))) assert.ok(refused > 0)
  })
}

describe('policyPod()', () => {
  const address = (changes: JsonObject, status: JsonObject = {}): readonly string[] =>
    policyPod({ metadata: {}, spec: changes, status: { podIP: '10.0.0.1', ...status } }).addresses
  test('has the address of its status, once, in every family', () => {
    assert.deepEqual(address({}), ['10.0.0.1'])
    assert.deepEqual(address({}, { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00:0::1' }] }), ['10.0.0.1', 'fd00::1'])
  })
  test('has none where it has its node’s, and none when it has ended', () => {
    assert.deepEqual(address({ hostNetwork: true }), [])
    assert.deepEqual(address({}, { phase: 'Succeeded' }), [])
    assert.deepEqual(address({}, { phase: 'Failed' }), [])
  })
})

describe('policyText()', () => {
  test('takes the table away', () => {
    assert.equal(policyText(undefined), 'table inet kubestep-policy\ndelete table inet kubestep-policy\n')
  })

  test('Pods with the same rules share a chain', () => {
    const rules = [
      { addresses: ['10.0.0.1', 'fd00::1'], ingress: [{ ports: [{ protocol: 'TCP', first: 80, last: 80 }] }] },
      { addresses: ['10.0.0.2'], ingress: [{ ports: [{ protocol: 'TCP', first: 80, last: 80 }] }], egress: [] },
    ] as const
    const text = policyText({ pods: rules, podSubnets: ['10.0.0.0/16'] })
    assert.match(text, /elements = \{ 10\.0\.0\.1 : jump allowed(\d), 10\.0\.0\.2 : jump allowed\1 \}/)
    assert.match(text, /^ {2}iifname "cni0" ip saddr 10\.0\.0\.0\/16 ip saddr != @known4 drop$/m)
    assert.equal(text.match(/ chain allowed/g)?.length, 2)
  })

  test('what Pods of the same policies may is there once, however many they are', () => {
    const names = Array.from({ length: 200 }, (_none, index) => index)
    const pods = names.map(index =>
      policyPod({ metadata: { namespace: 'x', name: `p${index}` }, status: { podIP: `10.0.0.${index}` } }),
    )
    const ports = [{ port: 80 }]
    const spec = { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports }], egress: [{ ports }] }
    const policies = [policyOf({ metadata: { namespace: 'x', name: 'all' }, spec })]
    const rules = podRules({ policies, pods, namespaces: [] })
    assert.equal(new Set(rules.map(({ ingress }) => ingress?.[0])).size, 1)
    assert.equal(new Set(rules.map(({ egress }) => egress?.[0])).size, 1)
    const text = policyText({ pods: rules, podSubnets: ['10.0.0.0/16'] })
    assert.equal(text.match(/ chain allowed/g)?.length, 2)
  })

  test('with IPVS what leaves as if this machine had sent it is looked at, too', () => {
    const table = { pods: [{ addresses: ['10.0.0.1'], ingress: [] }], podSubnets: ['10.0.0.0/16'] }
    const chain = (text: string, hook: string): string | undefined =>
      new RegExp(` chain ${hook} \\{\n.*hook ${hook} .*\n([^}]*)\n \\}`).exec(
        text.replaceAll(/\{ [\d, ]+ \}/g, ''),
      )?.[1]
    assert.equal(chain(policyText(table), 'output'), undefined)
    const text = policyText({ ...table, ipvs: true })
    assert.equal(
      chain(text, 'output'),
      `  meta skuid >= 0 accept\n${chain(text, 'forward')?.replace('iifname "cni0" ', '')}`,
    )
  })

  test('ranges of ports that overlap become one, and blocks that lie in another go', () => {
    const port = (first: number, last: number) => ({ protocol: 'TCP', first, last }) as const
    const except = ['10.1.0.0/16', '10.1.2.0/24', '10.2.0.0/16']
    const ingress = [
      {
        ports: [port(80, 90), port(85, 95), port(81, 82), port(100, 100)],
        peers: { addresses: [], blocks: [{ subnet: '10.0.0.0/8', except }] },
      },
    ]
    const text = policyText({ pods: [{ addresses: ['10.0.0.1'], ingress }], podSubnets: [] })
    assert.match(
      text,
      /^ {2}ip saddr 10\.0\.0\.0\/8 ip saddr != \{ 10\.1\.0\.0\/16, 10\.2\.0\.0\/16 \} tcp dport \{ 80-95, 100 \} return$/m,
    )
  })
})
