/** What the addons of an init are set up with, and what is said where one of them cannot work. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { planAddons } from '../../lib/phases/init/addon-plan.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { memoryHost } from '../memory-host.ts'

const { config } = loadInitConfig({ flags: { 'pod-network-cidr': '10.244.0.0/16' } }, GOLDEN_FACTS)
const withNft = memoryHost({ files: { '/usr/sbin/nft': '' } })
const POLICIES = 'network-policy'

const withMode = (mode: string): typeof config => ({
  ...config,
  kubeProxy: { document: { mode }, userSupplied: true },
})

describe('planAddons()', () => {
  const rows: readonly (readonly [mode: string, ipvs: boolean])[] = [
    ['', false],
    ['iptables', false],
    ['nftables', false],
    ['ipvs', true],
  ]
  for (const [mode, ipvs] of rows) {
    test(`NetworkPolicies with kube-proxy's mode "${mode}"`, () => {
      const { addons } = planAddons(withMode(mode), { profile: 'ci' }, withNft)
      const wanted = { podSubnets: ['10.244.0.0/16'], ...(ipvs && { ipvs }) }
      assert.deepEqual(addons[POLICIES], wanted)
    })
  }

  test('without nft nobody enforces NetworkPolicies: that is said, and refused where it was asked for', () => {
    const { addons, parts, notices } = planAddons(config, { profile: 'ci' }, memoryHost({}))
    assert.deepEqual(Object.keys(addons), ['storage', 'load-balancer'])
    assert.match(String(parts['policy-notice']?.reason), /^nobody enforces it: there is no nft/)
    assert.match(notices.join(), /Without network-policy: there is no nft/)
    assert.throws(() => planAddons(config, { addons: POLICIES }, memoryHost({})), /install nftables; or leave it out/)
  })

  test('none means none, and no process', () => {
    assert.deepEqual(planAddons(config, { addons: 'none', profile: 'ci' }, withNft).parts, {})
  })
})
