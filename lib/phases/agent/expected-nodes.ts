/** Whether further nodes may come to this machine's cluster, and what the agent does about them. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import type { SharedSettings } from '../../kubeadm/objects/network-objects.ts'
import { furtherNodes, type NodeFlags } from '../nodes/node-plan.ts'
import { ruleSettings } from '../run/kernel-settings.ts'
import type { AgentSettings } from './agent-service.ts'
import { type NodeRouteSettings, nodeRoutes } from './node-routes.ts'
import { sharedSettings } from './shared-settings.ts'

type Parts = AgentSettings['parts']

/** Whoever is told how nodes join may have some join. A cluster for a short life (--profile ci) stays as it begins. */
export function expectsNodes(
  { init }: InitConfig,
  flags: Pick<Flags, 'profile' | 'upload-certs'> & NodeFlags,
): boolean {
  if (furtherNodes(flags) > 0 || flags['upload-certs']) return true
  if (flags.profile === 'ci') return false
  return !isSkipped('bootstrap-token', init.skipPhases)
}

/** For nodes that see one another; `file` is that of our Pod network. */
export function routeParts(config: InitConfig, file: string): Parts {
  const settings: NodeRouteSettings = { file, rules: ruleSettings(config) }
  return { [nodeRoutes.name]: { ...settings } as never }
}

/**
 * On the machine where the cluster begins: routes, where the Pod network is ours and has addresses for all, and what others
 * have to know.
 */
export function expectingParts(
  config: InitConfig,
  file: string | undefined,
  shared: Omit<SharedSettings, 'network'>,
): Parts {
  const isOurs = file !== undefined && config.cluster.networking.podSubnet !== undefined
  if (!isOurs && Object.keys(shared.addons).length === 0) return {}
  const settings: SharedSettings = { ...shared, network: isOurs ? 'bridge' : 'none' }
  return { [sharedSettings.name]: { ...settings } as never, ...(isOurs && routeParts(config, file)) }
}
