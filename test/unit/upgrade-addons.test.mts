/** Addons that a cluster does without stay away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { imageList } from '../../lib/kubeadm/images/image-list.ts'
import { absentAddons, withoutAddons } from '../../lib/phases/upgrade/absent-addons.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
const NOTHING = { kubelets: {}, apiservers: {}, controllerManagers: {}, schedulers: {}, etcds: {} }
const STORED = { cluster: '', userSupplied: { kubelet: false, kubeProxy: false } }
const BOTH = { running: { ...NOTHING, coredns: 'v1.14.2' }, stored: { ...STORED, kubeProxy: 'mode: iptables' } }

type Row = readonly [
  what: string,
  outlook: Parameters<typeof absentAddons>[0],
  disabled: 'dns' | 'proxy' | undefined,
  left: readonly string[],
]

const ROWS: readonly Row[] = [
  ['both are there', BOTH, undefined, []],
  ['another DNS', { ...BOTH, running: NOTHING }, undefined, ['addon/coredns']],
  ['another proxy, as Cilium is one', { ...BOTH, stored: STORED }, undefined, ['addon/kube-proxy']],
  ['a disabled one, whatever is there', BOTH, 'proxy', ['addon/kube-proxy']],
  ['CoreDNS disabled', BOTH, 'dns', ['addon/coredns']],
  ['a worker, which sees neither', { stored: STORED }, undefined, []],
]

for (const [what, outlook, disabled, left] of ROWS) {
  test(`addons of a cluster with ${what}`, () => {
    const cluster = {
      ...config.cluster,
      ...(disabled && { [disabled]: { ...config.cluster[disabled], disabled: true } }),
    }
    assert.deepEqual(
      absentAddons(outlook, { cluster }).map(({ step }) => step),
      left,
    )
  })
}

test('images of addons that are no step are not needed', () => {
  const names = (steps: readonly string[]): string[] =>
    imageList(withoutAddons(config, steps)).map(image => /([^/:]+):/.exec(image.split('/').at(-1) ?? '')?.[1] ?? image)
  const all = names(['addon/coredns', 'addon/kube-proxy'])
  assert.deepEqual(
    names(['addon/kube-proxy']),
    all.filter(name => name !== 'coredns'),
  )
  assert.deepEqual(
    names(['preflight']),
    all.filter(name => name !== 'coredns' && name !== 'kube-proxy'),
  )
})
