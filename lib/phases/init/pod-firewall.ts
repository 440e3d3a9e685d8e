/** What lets Pods through the firewall of a live node. */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import type { Journal } from '../../machine/journal.ts'
import { findPodSources } from '../prepare/firewall.ts'
import { makeChange } from '../prepare/prepare-step.ts'
import { ruleSettings, setRules } from '../run/kernel-settings.ts'

/**
 * Rules of our own for iptables and what stands on it, ufw too; firewalld drops what it does not know itself whatever
 * others let through, so it is told of the addresses of Pods. Each change is in the journal before it is made.
 * Throws a KubestepError.
 */
export async function letPodsThrough(config: InitConfig, journal: Journal): Promise<void> {
  await setRules(config)
  const host = liveHost()
  const sources = ruleSettings(config).map(({ podSubnet }) => podSubnet)
  const { changes, faults = [] } = await findPodSources(host, sources)
  if (faults.length > 0) throw new KubestepError(faults.map(fault => `network: ${fault}`).join('\n'))
  for (const change of changes) {
    journal.record(change)
    await makeChange(change, host, journal.record)
  }
}
