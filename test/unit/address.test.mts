import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  containsAddress,
  formatAddress,
  formatSubnet,
  hostOfUrl,
  isGlobalUnicast,
  isLoopback,
  isUnspecified,
  joinHostPort,
  nthAddress,
  parseAddress,
  parseSubnet,
  subnetSize,
} from '../../lib/base/address.ts'

// What Go's net.IP prints for each.
const ADDRESSES: readonly (readonly [text: string, go: string | undefined])[] = [
  ['10.0.0.5', '10.0.0.5'],
  ['010.000.000.005', '10.0.0.5'],
  ['10.0.0.256', undefined],
  ['10.0.0', undefined],
  [' 10.0.0.5', undefined],
  ['::', '::'],
  ['::1', '::1'],
  ['fd00:0:0:0:0:0:0:5', 'fd00::5'],
  ['FD00::ABCD', 'fd00::abcd'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['2001:db8::', '2001:db8::'],
  ['::ffff:10.0.0.5', '10.0.0.5'],
  ['::ffff:a00:5', '10.0.0.5'],
  ['64:ff9b::10.0.0.5', '64:ff9b::a00:5'],
  ['fe80::1%eth0', undefined],
  ['[fd00::5]', undefined],
  ['fd00::5::1', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['12345::', undefined],
  ['', undefined],
]

for (const [text, go] of ADDRESSES) {
  test(`parseAddress() ${go === undefined ? 'refuses' : 'reads'} "${text}"`, () => {
    const address = parseAddress(text)
    assert.equal(address && formatAddress(address), go)
  })
}

const SUBNETS: readonly (readonly [text: string, go: string | undefined, size?: bigint])[] = [
  ['10.96.0.0/12', '10.96.0.0/12', 1_048_576n],
  ['10.96.5.7/16', '10.96.0.0/16', 65_536n],
  ['0.0.0.0/0', '0.0.0.0/0', 2n ** 32n],
  ['fd00:10::1/112', 'fd00:10::/112', 65_536n],
  ['10.96.0.0/33', undefined],
  ['10.96.0.0', undefined],
  ['10.96.0.0/-1', undefined],
  ['10.96.0.0/', undefined],
  ['10.96.0.0/255.255.0.0', undefined],
]

for (const [text, go, size] of SUBNETS) {
  test(`parseSubnet() ${go === undefined ? 'refuses' : 'reads'} "${text}"`, () => {
    const subnet = parseSubnet(text)
    assert.equal(subnet && formatSubnet(subnet), go)
    assert.equal(subnet && subnetSize(subnet), size)
  })
}

test('nthAddress() counts from the first address and stops at the last', () => {
  const at = (text: string, index: number): string | undefined => {
    const subnet = parseSubnet(text)
    const address = subnet && nthAddress(subnet, index)
    return address && formatAddress(address)
  }
  assert.equal(at('10.96.0.0/12', 10), '10.96.0.10')
  assert.equal(at('10.96.0.0/28', 15), '10.96.0.15')
  assert.equal(at('10.96.0.0/28', 16), undefined)
  assert.equal(at('10.96.0.254/23', 256), '10.96.1.0')
  assert.equal(at('fd00::/112', 1), 'fd00::1')
})

// Columns: unspecified, loopback, global unicast.
const KINDS: readonly (readonly [text: string, kinds: string])[] = [
  ['0.0.0.0', 'u--'],
  ['::', 'u--'],
  ['127.0.0.1', '-l-'],
  ['127.9.9.9', '-l-'],
  ['::1', '-l-'],
  ['10.0.0.5', '--g'],
  ['8.8.8.8', '--g'],
  ['fd00::5', '--g'],
  ['169.254.1.1', '---'],
  ['224.0.0.1', '---'],
  ['239.1.1.1', '---'],
  ['240.0.0.1', '--g'],
  ['255.255.255.255', '---'],
  ['fe80::1', '---'],
  ['febf::1', '---'],
  ['fec0::1', '--g'],
  ['ff02::1', '---'],
]

describe('the kinds of addresses', () => {
  for (const [text, kinds] of KINDS) {
    test(text, () => {
      const address = parseAddress(text)
      assert.ok(address)
      const found = `${isUnspecified(address) ? 'u' : '-'}${isLoopback(address) ? 'l' : '-'}${isGlobalUnicast(address) ? 'g' : '-'}`
      assert.equal(found, kinds)
    })
  }
})

test('containsAddress() compares within one family', () => {
  const contains = (subnet: string, text: string): boolean => {
    const [network, address] = [parseSubnet(subnet), parseAddress(text)]
    assert.ok(network && address)
    return containsAddress(network, address)
  }
  assert.equal(contains('10.96.0.0/12', '10.111.255.255'), true)
  assert.equal(contains('10.96.0.0/12', '10.112.0.0'), false)
  assert.equal(contains('::/0', '10.0.0.1'), false)
  assert.equal(contains('fd00::/8', 'fdff::1'), true)
})

test('joinHostPort() puts IPv6 in brackets', () => {
  assert.equal(joinHostPort('10.0.0.5', 6443), '10.0.0.5:6443')
  assert.equal(joinHostPort('cp.example.com', '6443'), 'cp.example.com:6443')
  assert.equal(joinHostPort('fd00::5', 6443), '[fd00::5]:6443')
})

test('hostOfUrl() gives it without the brackets of IPv6', () => {
  assert.equal(hostOfUrl('https://10.0.0.5:2380'), '10.0.0.5')
  assert.equal(hostOfUrl('https://[fd00::1]:2380'), 'fd00::1')
})
