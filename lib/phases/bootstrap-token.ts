/** Phase `bootstrap-token`: lets nodes join with bootstrap tokens. */

import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { clusterObjects } from '../kubeadm/objects/cluster-objects.ts'
import type { Phase } from './phase.ts'
import { adminAccess } from './run/cluster-access.ts'
import { deliverObjects } from './run/deliver.ts'
import { openPhase } from './run/open-phase.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'kubeconfig',
  'skip-token-print',
  // Ours: kubeadm takes these on init only.
  'token',
  'token-ttl',
]

export const bootstrapToken: Phase = {
  ...phaseRow('bootstrap-token'),
  command: {
    name: 'bootstrap-token',
    about:
      'Create bootstrap tokens, what they are allowed, and the cluster-info ConfigMap by which nodes find the cluster.',
    options: OPTIONS,
    examples: ['bootstrap-token.mts --dry-run --output-dir ./tree'],
  },
  run: async (call: Call): Promise<void> => {
    const phase = openPhase(call)
    const { config, facts } = phase
    const tokens = config.init.bootstrapTokens.map(({ token }) => token)
    const objects = clusterObjects(config, facts, { ...adminAccess(phase, call), now: new Date() }, ['bootstrap-token'])
    const used = tokens.length === 1 ? `token: ${tokens[0]}` : `tokens: [${tokens.join(' ')}]`
    const messages = [
      ...(call.flags['skip-token-print'] ? [] : [`[bootstrap-token] Using ${used}`]),
      '[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles',
    ]
    await deliverObjects({ objects, messages }, phase, call)
  },
}
