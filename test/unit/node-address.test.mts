import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { kubeletFlagsFile } from '../../lib/kubeadm/kubelet/kubelet-flags.ts'
import { adaptToMachine } from '../../lib/phases/run/machine-adaptations.ts'
import { type NodeNetwork, nodeAddress } from '../../lib/phases/run/node-address.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const NETWORK: NodeNetwork = {
  addresses: ['127.0.0.1', '10.0.0.5', '2001:db8:1::5', 'fe80::1'],
  defaultAddress: { ipv4: '10.0.0.5', ipv6: '2001:db8:1::5' },
  hostsFile: '127.0.0.1 localhost\n',
}

function configOf(init: object = {}, cluster: object = {}): InitConfig {
  const documents = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: '10.0.0.5' },
      ...init,
    },
    { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'ClusterConfiguration', kubernetesVersion: 'v1.36.2', ...cluster },
  ]
  const text = documents.map(document => JSON.stringify(document)).join('\n---\n')
  return loadInitConfig({ text }, { ...GOLDEN_FACTS, hostname: 'vm' }).config
}

const args = (name: string, value: string): object => ({
  nodeRegistration: { name: 'vm', kubeletExtraArgs: [{ name, value }] },
})
const dual = { networking: { podSubnet: '10.244.0.0/16,fd00:10::/56', serviceSubnet: '10.96.0.0/16,fd00:20::/112' } }
const named = { ...NETWORK, hostsFile: '10.0.0.5 vm\n' }

const ROWS: readonly (readonly [what: string, config: InitConfig, network: NodeNetwork, value: string | undefined])[] =
  [
    ['a name that nothing knows', configOf(), NETWORK, '10.0.0.5'],
    ['a name in /etc/hosts', configOf(), named, undefined],
    ['a name in /etc/hosts as Debian has it', configOf(), { ...NETWORK, hostsFile: '127.0.1.1 vm.x vm' }, undefined],
    ['an address that the user gave', configOf(args('node-ip', '10.9.9.9')), NETWORK, undefined],
    ['a cloud', configOf(args('cloud-provider', 'external')), NETWORK, undefined],
    ['a node that is called by its address', configOf(args('hostname-override', '10.0.0.5')), NETWORK, undefined],
    ['another name than the host has', configOf(args('hostname-override', 'other')), named, '10.0.0.5'],
    [
      'an address of a balancer',
      configOf({ localAPIEndpoint: { advertiseAddress: '203.0.113.9' } }),
      NETWORK,
      '10.0.0.5',
    ],
    [
      'an address of a balancer, and no route',
      configOf({ localAPIEndpoint: { advertiseAddress: '203.0.113.9' } }),
      { ...NETWORK, defaultAddress: {} },
      undefined,
    ],
    ['no route', configOf(), { ...NETWORK, defaultAddress: {} }, '10.0.0.5'],
    ['two families', configOf({}, dual), NETWORK, '10.0.0.5,2001:db8:1::5'],
    ['two families with the name in /etc/hosts', configOf({}, dual), named, '10.0.0.5,2001:db8:1::5'],
    [
      'two families on a machine of one',
      configOf({}, dual),
      { ...NETWORK, defaultAddress: { ipv4: '10.0.0.5' } },
      '10.0.0.5',
    ],
    [
      'two families, IPv6 first',
      configOf(
        { localAPIEndpoint: { advertiseAddress: '2001:db8:1::5' } },
        { networking: { serviceSubnet: 'fd00:20::/112,10.96.0.0/16', podSubnet: 'fd00:10::/56,10.244.0.0/16' } },
      ),
      NETWORK,
      '2001:db8:1::5,10.0.0.5',
    ],
    [
      'two families of a kubelet that takes one',
      configOf({}, { ...dual, kubernetesVersion: 'v1.20.2', featureGates: { IPv6DualStack: true } }),
      NETWORK,
      '10.0.0.5',
    ],
  ]

for (const [what, config, network, value] of ROWS) {
  test(`nodeAddress() for ${what}`, () => assert.equal(nodeAddress(config, network)?.value, value))
}

test('adaptToMachine() adds --node-ip, and says so', () => {
  const machine = { root: true, systemd: true, cgroupVersion: 2, swap: false, mayLowerOomScore: true } as const
  const config = configOf()
  const { config: adapted, notices } = adaptToMachine(config, machine, nodeAddress(config, NETWORK))
  assert.equal(
    kubeletFlagsFile(adapted, { hostname: 'vm', systemdResolved: false }),
    'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.5"\n',
  )
  assert.match(notices.join('\n'), /^\[kubelet-start\] Setting node-ip to 10\.0\.0\.5: "vm" is not in \/etc\/hosts/)
  assert.deepEqual(adaptToMachine(config, machine, nodeAddress(config, named)), { config, notices: [] })
})
