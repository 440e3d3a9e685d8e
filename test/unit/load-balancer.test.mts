import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseSubnet, type Subnet } from '../../lib/base/address.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { addressSteps, balancedService } from '../../lib/cluster/load-balancer/service-addresses.ts'
import { balancerRules } from '../../lib/machine/network/balancer-network.ts'
import { freeRange, userOf } from '../../lib/machine/network/balancer-range.ts'
import { clusterChains } from '../../lib/machine/network/firewall-rules.ts'
import { memoryHost } from '../memory-host.ts'

const RANGES = ['10.9.0.0/29', 'fd00:9::/125'].map(text => parseSubnet(text) as Subnet)

let count = 0

/** A Service as the API has it; each is younger than those before. */
function service(name: string, spec: JsonObject = {}, addresses: readonly string[] = []): JsonObject {
  const uid = `uid-${String(++count).padStart(4, '0')}`
  return {
    metadata: {
      namespace: 'default',
      name,
      uid,
      creationTimestamp: `2026-01-01T00:00:${String(count % 60).padStart(2, '0')}Z`,
    },
    spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ...spec },
    status: { loadBalancer: { ingress: addresses.map(ip => ({ ip })) } },
  }
}

/** `name: addresses`, and what it lacks. */
function steps(...objects: readonly JsonObject[]): string[] {
  return addressSteps(objects.map(balancedService), RANGES).map(
    ({ service: { name }, addresses, lacks }) =>
      `${name}: ${[...addresses, ...lacks.map(lack => `(${lack})`)].join(' ')}`,
  )
}

describe('addressSteps()', () => {
  const both = { ipFamilies: ['IPv6', 'IPv4'] }
  const rows: readonly (readonly [name: string, objects: () => readonly JsonObject[], wanted: string[]])[] = [
    ['one gets the first that is free', () => [service('a')], ['a: 10.9.0.2']],
    ['each gets its own', () => [service('a'), service('b')], ['a: 10.9.0.2', 'b: 10.9.0.3']],
    ['one that has its address keeps it', () => [service('a', {}, ['10.9.0.4']), service('b')], ['b: 10.9.0.2']],
    ['what somebody has is not given away', () => [service('a'), service('b', {}, ['10.9.0.2'])], ['a: 10.9.0.3']],
    [
      'the older one keeps what two have',
      () => [service('a', {}, ['10.9.0.2']), service('b', {}, ['10.9.0.2'])],
      ['b: 10.9.0.3'],
    ],
    ['an address from elsewhere is replaced', () => [service('a', {}, ['1.2.3.4'])], ['a: 10.9.0.2']],
    ['families come in their order', () => [service('a', both)], ['a: fd00:9::2 10.9.0.2']],
    [
      'a second family comes to the first',
      () => [service('a', { ipFamilies: ['IPv4', 'IPv6'] }, ['10.9.0.5'])],
      ['a: 10.9.0.5 fd00:9::2'],
    ],
    ['1.18 has no families', () => [service('a', { ipFamilies: undefined, clusterIP: '10.96.0.9' })], ['a: 10.9.0.2']],
    ['1.18 with IPv6', () => [service('a', { ipFamilies: undefined, clusterIP: 'fd00::9' })], ['a: fd00:9::2']],
    ['1.18 with a family', () => [service('a', { ipFamilies: undefined, ipFamily: 'IPv6' })], ['a: fd00:9::2']],
    ['of another type it has none', () => [service('a', { type: 'ClusterIP' })], []],
    ['and loses what it had', () => [service('a', { type: 'NodePort' }, ['10.9.0.2'])], ['a: ']],
    [
      'which is free for the next',
      () => [service('a', { type: 'NodePort' }, ['10.9.0.2']), service('b')],
      ['a: ', 'b: 10.9.0.2'],
    ],
    ['with a class it is left to others', () => [service('a', { loadBalancerClass: 'x/y' })], []],
    ['also its address', () => [service('a', { loadBalancerClass: 'x/y' }, ['1.2.3.4'])], []],
    ['one that goes gets none', () => [{ ...service('a'), metadata: { deletionTimestamp: 'now', uid: 'x' } }], []],
    ['one that asks for an address gets it', () => [service('a', { loadBalancerIP: '10.9.0.5' })], ['a: 10.9.0.5']],
    [
      'and nobody else',
      () => [service('a'), service('b', { loadBalancerIP: '10.9.0.2' })],
      ['a: 10.9.0.2', 'b: ("10.9.0.2" is taken; leave loadBalancerIP out)'],
    ],
    ['and moves to it', () => [service('a', { loadBalancerIP: '10.9.0.5' }, ['10.9.0.2'])], ['a: 10.9.0.5']],
    ['and has it', () => [service('a', { loadBalancerIP: '10.9.0.5' }, ['10.9.0.5'])], []],
    [
      'but no foreign one',
      () => [service('a', { loadBalancerIP: '8.8.8.8' })],
      ['a: 10.9.0.2 ("8.8.8.8" is none of 10.9.0.0/29, so it has another; leave loadBalancerIP out)'],
    ],
    [
      'when all are taken it is said',
      () => 'abcdef'.split('').map(name => service(name)),
      [
        'a: 10.9.0.2',
        'b: 10.9.0.3',
        'c: 10.9.0.4',
        'd: 10.9.0.5',
        'e: 10.9.0.6',
        'f: (all addresses of 10.9.0.0/29 are taken)',
      ],
    ],
  ]
  for (const [name, objects, wanted] of rows) test(name, () => assert.deepEqual(steps(...objects()), wanted))

  test('without a range of the family it is said', () => {
    const [step] = addressSteps([balancedService(service('a', both))], RANGES.slice(0, 1))
    assert.deepEqual(step?.addresses, ['10.9.0.2'])
    assert.deepEqual(step?.lacks, ['there are no IPv6 addresses for load balancers on this machine'])
  })

  test('200 Services have 200 addresses, and what was written is not written again', () => {
    const range = parseSubnet('198.18.240.0/20') as Subnet
    const objects = Array.from({ length: 200 }, (_, index) => service(`s${index}`))
    const first = addressSteps(objects.map(balancedService), [range])
    assert.equal(new Set(first.flatMap(({ addresses }) => addresses)).size, 200)
    const written = objects.map((object, index) => ({
      ...object,
      status: { loadBalancer: { ingress: first[index]?.addresses.map(ip => ({ ip })) ?? [] } },
    }))
    assert.deepEqual(addressSteps(written.map(balancedService), [range]), [])
  })
})

describe('freeRange()', () => {
  const rows: readonly (readonly [
    name: string,
    family: 4 | 6,
    route: string,
    taken: readonly string[],
    wanted?: string,
  ])[] = [
    ['nothing is in the way', 4, '', [], '198.18.240.0/20'],
    ['a default route is not', 4, 'eth0 00000000 0100A8C0 0003 0 0 0 00000000', [], '198.18.240.0/20'],
    ['a route is', 4, 'tun0 000012C6 00000000 0001 0 0 0 0000FFFF', [], '198.19.240.0/20'],
    ['Services are', 4, '', ['198.18.0.0/15'], '172.31.240.0/20'],
    ['everything is', 4, '', ['0.0.0.0/0']],
    ['IPv6', 6, '', ['10.0.0.0/8'], 'fd6b:7374:6570:1b::/112'],
  ]
  for (const [name, family, route, taken, wanted] of rows) {
    test(`IPv${family}: ${name}`, () => {
      const host = memoryHost({ files: { '/proc/net/route': `Iface\n${route}\n` } })
      const found = freeRange(
        family,
        host,
        taken.map(text => parseSubnet(text) as Subnet),
      )
      assert.deepEqual(found, wanted === undefined ? undefined : parseSubnet(wanted))
    })
  }
})

test('a range that something else leads to is not laid on a machine that joins', () => {
  const found = (name: string): string | undefined =>
    userOf(
      parseSubnet('198.18.240.0/20') as Subnet,
      memoryHost({ files: { '/proc/net/route': `Iface\n${name} 00F012C6 00000000 0001 0 0 0 00F0FFFF\n` } }),
    )
  assert.equal(found('tun0'), 'tun0')
  assert.equal(found('kubestep-lb'), undefined)
})

test('reset knows the chain of load balancers as one of the cluster', () => {
  assert.deepEqual(clusterChains(balancerRules(RANGES[0] as Subnet), []), ['filter KUBESTEP-BALANCER'])
})
