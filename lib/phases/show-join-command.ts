/** Phase `show-join-command`: shows how other nodes join. */

import { reasonOf } from '../base/errors.ts'
import { KUBERNETES } from '../base/paths.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { ApiError } from '../cluster/api/api-client.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { initDoneText } from '../kubeadm/objects/join-command.ts'
import type { Phase } from './phase.ts'
import { adminAccess, withApi } from './run/cluster-access.ts'
import { joinAdvice } from './run/join-advice.ts'
import { isLive } from './run/live-node.ts'
import { type OpenedPhase, openPhase } from './run/open-phase.ts'
import { joins, storedTokens } from './token/token-list.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'kubeconfig',
  'control-plane-endpoint',
  'token',
  'upload-certs',
  'certificate-key',
  'skip-token-print',
  'skip-certificate-key-print',
]

export const showJoinCommand: Phase = {
  ...phaseRow('show-join-command'),
  command: {
    name: 'show-join-command',
    about: 'Show the commands with which control plane nodes and workers join.',
    options: OPTIONS,
    examples: ['show-join-command.mts --config kubeadm.yaml', 'show-join-command.mts --token abcdef.0123456789abcdef'],
  },
  run: async (call: Call): Promise<void> => {
    const { flags } = call
    const phase = openPhase(call)
    const { cluster, init } = phase.config
    const isGiven = flags.token !== undefined || flags.config !== undefined
    const tokens = isGiven ? init.bootstrapTokens.map(({ token }) => token) : await clusterTokens(phase, call)
    const adminConf = flags.kubeconfig ?? KUBERNETES.adminConf
    call.output.result(
      initDoneText({
        access: adminAccess(phase, call),
        adminConf: phase.dryRun && flags.kubeconfig === undefined ? `${phase.target}${adminConf}` : adminConf,
        hasControlPlaneEndpoint: cluster.controlPlaneEndpoint !== undefined,
        certificatesUploaded: flags['upload-certs'] ?? false,
        tokens,
        ...(init.certificateKey !== undefined && { certificateKey: init.certificateKey }),
        skipTokenPrint: flags['skip-token-print'] ?? false,
        skipCertificateKeyPrint: flags['skip-certificate-key-print'] ?? false,
      }),
    )
    call.output.say(joinAdvice())
  },
}

/** Tokens of the cluster that a node can join with; a new one, and a warning, where the cluster cannot be asked. */
async function clusterTokens(phase: OpenedPhase, call: Call): Promise<readonly string[]> {
  const isNew = 'the token is a new one that no cluster knows; pass --token or --config'
  const unknown = (reason: string): readonly string[] => {
    call.output.warn(`show-join-command: ${reason}${isNew}`)
    return phase.config.init.bootstrapTokens.map(({ token }) => token)
  }
  if (!isLive(phase)) return unknown('')
  try {
    const stored = await withApi(phase, call, storedTokens)
    const [usable] = stored.filter(token => joins(token, new Date()))
    if (usable !== undefined) return [`${usable.token.id}.${usable.token.secret}`]
    call.output.warn('show-join-command: the cluster has no token to join with; make one with "token create"')
    return ['<token>']
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return unknown(`${reasonOf(error)}; `)
  }
}
