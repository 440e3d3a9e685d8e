/** Addons that a cluster does without: an upgrade does not put them there, and needs no images of theirs. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Outlook } from './upgrade-outlook.ts'

interface AddonRow {
  readonly step: string
  /** As kubeadm notes it since 1.32; before, what is missing in the cluster tells. */
  readonly isDisabled: (cluster: InitConfig['cluster']) => boolean
  readonly isThere: (outlook: Pick<Outlook, 'running' | 'stored'>) => boolean
}

/** Source: kubeadm phases/upgrade/addons.go (v1.36), phases/upgrade/postupgrade.go (v1.31). */
const ADDONS: readonly AddonRow[] = [
  {
    step: 'addon/coredns',
    isDisabled: ({ dns }) => dns.disabled === true,
    // A worker sees neither, and has nothing to do with addons.
    isThere: ({ running }) => running === undefined || running.coredns !== undefined,
  },
  {
    step: 'addon/kube-proxy',
    isDisabled: ({ proxy }) => proxy.disabled === true,
    isThere: ({ running, stored }) => running === undefined || stored.kubeProxy !== undefined,
  },
]

/** Steps that are left out, each with the line that says why. */
export function absentAddons(
  outlook: Pick<Outlook, 'running' | 'stored'>,
  { cluster }: Pick<InitConfig, 'cluster'>,
): readonly { readonly step: string; readonly why: string }[] {
  return ADDONS.flatMap(({ step, isDisabled, isThere }) => {
    if (isDisabled(cluster)) return [{ step, why: `[upgrade/addon] Skipping ${step}: the addon is disabled` }]
    if (isThere(outlook)) return []
    return [{ step, why: `[upgrade/addon] Skipping ${step}: the cluster does without it` }]
  })
}

/** What images are taken from: those of addons that are no step are not needed. */
export function withoutAddons(config: InitConfig, steps: readonly string[]): InitConfig {
  const { dns, proxy } = config.cluster
  const lacks = (step: string): { disabled?: true } => (steps.includes(step) ? {} : { disabled: true })
  return {
    ...config,
    cluster: {
      ...config.cluster,
      dns: { ...dns, ...lacks('addon/coredns') },
      proxy: { ...proxy, ...lacks('addon/kube-proxy') },
    },
  }
}
