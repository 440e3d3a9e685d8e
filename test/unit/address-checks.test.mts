import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { NO_MACHINE_ADDRESS } from '../../lib/machine/host/read-facts.ts'
import { familyFault } from '../../lib/phases/preflight/address-checks.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { openHost, verdictsOn } from './preflight-hosts.ts'

function configOf(
  advertiseAddress: string,
  serviceSubnet: string,
  extra: Readonly<Record<string, string>> = {},
): InitConfig {
  const extraArgs = Object.entries(extra).map(([name, value]) => ({ name, value }))
  const text = [
    { kind: 'InitConfiguration', localAPIEndpoint: { advertiseAddress } },
    { kind: 'ClusterConfiguration', networking: { serviceSubnet }, apiServer: { extraArgs } },
  ]
    .map(document => JSON.stringify({ apiVersion: 'kubeadm.k8s.io/v1beta4', ...document }))
    .join('\n---\n')
  return loadInitConfig({ text }, GOLDEN_FACTS).config
}

// What kube-apiserver v1.36.2 itself starts with, and refuses.
const ROWS: readonly (readonly [
  address: string,
  services: string,
  extra: Readonly<Record<string, string>>,
  fault?: RegExp,
])[] = [
  ['10.0.0.5', '10.96.0.0/12', {}],
  ['fd00::5', 'fd00:96::/112', {}],
  ['10.0.0.5', '10.96.0.0/16,fd00:96::/112', {}],
  ['10.0.0.5', 'fd00:96::/112', {}, /would announce 10\.0\.0\.5, .*fd00:96::\/112, is of IPv6/],
  ['10.0.0.5', 'fd00:96::/112,10.96.0.0/16', {}, /is of IPv6/],
  ['fd00::5', '10.96.0.0/12', {}, /would announce fd00::5, .* is of IPv4/],
  ['10.0.0.5', 'fd00:96::/112', { 'advertise-address': 'fd00::5' }],
  ['10.0.0.5', '10.96.0.0/12', { 'advertise-address': 'fd00::5' }, /would announce fd00::5/],
  ['10.0.0.5', '10.96.0.0/12', { 'service-cluster-ip-range': 'fd00:96::/112' }, /is of IPv6/],
  ['10.0.0.5', 'fd00:96::/112', { 'endpoint-reconciler-type': 'none' }],
]

describe('familyFault()', () => {
  for (const [address, services, extra, fault] of ROWS) {
    test(`of ${address} with ${services} and ${JSON.stringify(extra)}`, () => {
      const said = familyFault(configOf(address, services, extra))
      if (fault === undefined) assert.equal(said, undefined)
      else assert.match(said?.found ?? '', fault)
    })
  }
})

test('preflight says that there is no address, and that one is of the wrong family', async () => {
  const host = openHost('debian-13')
  const none = { ...host, read: (path: string) => (/^\/proc\/net\/(ipv6_)?route$/.test(path) ? '' : host.read(path)) }
  const guessed = await verdictsOn(none, { 'apiserver-advertise-address': NO_MACHINE_ADDRESS.ipv4 })
  const row = guessed.find(({ name }) => name === 'AdvertiseAddress')
  assert.equal(row?.status, 'error')
  assert.match(row.found, /no default route/)
  const wrong = await verdictsOn(host, { 'apiserver-advertise-address': '10.0.0.5', 'service-cidr': 'fd00:96::/112' })
  assert.match(wrong.find(({ name }) => name === 'AdvertiseAddress')?.found ?? '', /the API server cannot start/)
})
