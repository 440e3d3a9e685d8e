import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRouteInterfaces4, defaultRouteInterfaces6, globalAddresses } from '../../lib/machine/host/addresses.ts'
import { proxyEnvironment } from '../../lib/machine/host/read-facts.ts'

const ROUTES_4 = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`
const ROUTES_6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

test('defaultRouteInterfaces4() takes routes to everywhere that are up and have a gateway', () => {
  assert.deepEqual(defaultRouteInterfaces4(ROUTES_4), ['eth0'])
  assert.deepEqual(defaultRouteInterfaces4(''), [])
})

test('defaultRouteInterfaces6() leaves out the reject route of lo', () => {
  assert.deepEqual(defaultRouteInterfaces6(ROUTES_6), ['eth1'])
})

test('globalAddresses() takes the first global unicast address of each family', () => {
  const addresses = [
    { interfaceName: 'eth0', family: 'IPv4', address: '169.254.1.1' },
    { interfaceName: 'eth0', family: 'IPv4', address: '10.0.0.5' },
    { interfaceName: 'eth0', family: 'IPv6', address: 'fe80::1' },
    { interfaceName: 'eth1', family: 'IPv6', address: 'fd00::5' },
  ] as const
  assert.deepEqual(globalAddresses(addresses, ['eth0']), { ipv4: '10.0.0.5' })
  assert.deepEqual(globalAddresses(addresses, ['eth1', 'eth0']), { ipv4: '10.0.0.5', ipv6: 'fd00::5' })
  assert.deepEqual(globalAddresses(addresses, []), {})
})

test('proxyEnvironment() takes non-empty variables that end in _proxy in any case, sorted', () => {
  assert.deepEqual(proxyEnvironment({ no_proxy: 'x', HTTPS_PROXY: 'y', http_proxy: '', PATH: '/bin', PROXY: 'z' }), [
    { name: 'HTTPS_PROXY', value: 'y' },
    { name: 'no_proxy', value: 'x' },
  ])
})
