#!/usr/bin/env -S npx zx
/** Lets nodes join with bootstrap tokens. */
import { clusterObjects } from '../lib/kubeadm/objects/cluster-objects.ts'
import { adminAccess, deliverObjects } from '../lib/phases/run/deliver-objects.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'kubeconfig',
  'skip-token-print',
  // Ours: kubeadm takes these on init only.
  'token',
  'token-ttl',
]

export const bootstrapToken: Script = script(
  import.meta,
  {
    name: 'bootstrap-token',
    about:
      'Create bootstrap tokens, what they are allowed, and the cluster-info ConfigMap by which nodes find the cluster.',
    options: OPTIONS,
    examples: ['bootstrap-token.mts --dry-run --output-dir ./tree'],
  },
  async call => {
    const phase = openPhase(call)
    const { config, facts } = phase
    const tokens = config.init.bootstrapTokens.map(({ token }) => token)
    const objects = clusterObjects(config, facts, { ...adminAccess(phase, call), now: new Date() }, ['bootstrap-token'])
    const used = tokens.length === 1 ? `token: ${tokens[0]}` : `tokens: [${tokens.join(' ')}]`
    const messages = [
      ...(call.flags['skip-token-print'] ? [] : [`[bootstrap-token] Using ${used}`]),
      '[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles',
    ]
    await deliverObjects(objects, messages, phase, call)
  },
)
