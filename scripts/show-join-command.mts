#!/usr/bin/env -S npx zx
/** Shows how other nodes join. */
import { ApiError } from '../lib/cluster/api/api-client.ts'
import { reasonOf } from '../lib/base/errors.ts'
import { isLive } from '../lib/phases/run/live-node.ts'
import { adminAccess, withApi } from '../lib/phases/run/deliver-objects.ts'
import { initDoneText } from '../lib/kubeadm/objects/join-command.ts'
import { joins, storedTokens } from '../lib/phases/token/token-list.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS, type Phase } from '../lib/phases/run/open-phase.ts'
import { type Call, type Script, script } from '../lib/cli/script.ts'

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

export const showJoinCommand: Script = script(
  import.meta,
  {
    name: 'show-join-command',
    about: 'Show the commands with which control plane nodes and workers join.',
    options: OPTIONS,
    examples: ['show-join-command.mts --config kubeadm.yaml', 'show-join-command.mts --token abcdef.0123456789abcdef'],
  },
  async call => {
    const { flags } = call
    const phase = openPhase(call)
    const { cluster, init } = phase.config
    const isGiven = flags.token !== undefined || flags.config !== undefined
    const tokens = isGiven ? init.bootstrapTokens.map(({ token }) => token) : await clusterTokens(phase, call)
    const adminConf = flags.kubeconfig ?? '/etc/kubernetes/admin.conf'
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
  },
)

/** Tokens of the cluster that a node can join with; a new one, and a warning, where the cluster cannot be asked. */
async function clusterTokens(phase: Phase, call: Call): Promise<readonly string[]> {
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
