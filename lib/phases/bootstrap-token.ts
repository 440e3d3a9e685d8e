/** Phase `bootstrap-token`: lets nodes join with bootstrap tokens. */

import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { controlPlaneUrl } from '../kubeadm/config/control-plane-url.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { bootstrapTokenObjects } from '../kubeadm/objects/bootstrap-token-objects.ts'
import { created } from '../kubeadm/objects/cluster-object.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { adminAccess } from './run/cluster-access.ts'
import { deliverObjects } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { unpatched } from './run/user-patches.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'kubeconfig',
  'skip-token-print',
  // Ours: kubeadm takes these on init only.
  'token',
  'token-ttl',
]

export const bootstrapToken: ApplyingPhase = {
  ...phaseRow('bootstrap-token'),
  command: {
    name: 'bootstrap-token',
    about:
      'Create bootstrap tokens, what they are allowed, and the cluster-info ConfigMap by which nodes find the cluster.',
    options: OPTIONS,
    examples: ['bootstrap-token.mts --dry-run --output-dir ./tree'],
  },
  objects: ({ config, readCredential, access, now }: Given): Applied => {
    const found = access ?? {
      server: controlPlaneUrl(config),
      caCertificate: readCredential(`${config.cluster.certificatesDir}/ca.crt`) ?? '',
    }
    return {
      objects: created('bootstrap-token', bootstrapTokenObjects(config, found, now), config.kubeadm),
      messages: ['[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles'],
    }
  },
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    const given = { ...givenOf(opened, call, unpatched), access: adminAccess(opened, call) }
    const { objects, messages } = bootstrapToken.objects(given)
    const tokens = opened.config.init.bootstrapTokens.map(({ token }) => token)
    const used = tokens.length === 1 ? `token: ${tokens[0]}` : `tokens: [${tokens.join(' ')}]`
    const using = call.flags['skip-token-print'] ? [] : [`[bootstrap-token] Using ${used}`]
    await deliverObjects({ objects, messages: [...using, ...messages] }, opened, call)
  },
}
