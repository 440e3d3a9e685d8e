/** Whether further nodes may come to this machine's cluster, and what the agent does about them. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { furtherNodes, type NodeFlags } from '../nodes/node-plan.ts'
import { ruleSettings } from '../run/kernel-settings.ts'
import type { AgentSettings } from './agent-service.ts'
import { type NodeRouteSettings, nodeRoutes } from './node-routes.ts'

/**
 * Whoever is told how nodes join may have some join. A cluster for a short life (--profile ci) stays alone, and so does
 * one that has no addresses for Pods of other nodes, or a Pod network of somebody else's.
 */
export function expectsNodes(
  { cluster, init }: InitConfig,
  flags: Pick<Flags, 'cni' | 'profile'> & NodeFlags,
): boolean {
  if (!wantsNetwork(flags.cni) || cluster.networking.podSubnet === undefined) return false
  if (furtherNodes(flags) > 0) return true
  if (flags.profile === 'ci') return false
  return !isSkipped('bootstrap-token', init.skipPhases)
}

/** `file` is that of the Pod network. */
export function nodeRouteAgent(config: InitConfig, file: string): AgentSettings {
  const settings: NodeRouteSettings = { file, rules: ruleSettings(config) }
  return { node: config.init.nodeRegistration.name, parts: { [nodeRoutes.name]: { ...settings } as never } }
}
