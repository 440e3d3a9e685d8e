#!/usr/bin/env -S npx zx
/** Shows how other nodes join. */
import { adminAccess } from '../lib/objects/deliver.ts'
import { initDoneText } from '../lib/objects/join-command.ts'
import type { OptionName } from '../lib/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phase.ts'
import { type Script, script } from '../lib/script.ts'

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
    if (flags.token === undefined && flags.config === undefined) {
      call.output.warn('show-join-command: the token is a new one that no cluster knows; pass --token or --config')
    }
    const adminConf = flags.kubeconfig ?? '/etc/kubernetes/admin.conf'
    call.output.result(
      initDoneText({
        access: adminAccess(phase, call),
        adminConf: phase.dryRun && flags.kubeconfig === undefined ? `${phase.target}${adminConf}` : adminConf,
        hasControlPlaneEndpoint: cluster.controlPlaneEndpoint !== undefined,
        certificatesUploaded: flags['upload-certs'] ?? false,
        tokens: init.bootstrapTokens.map(({ token }) => token),
        ...(init.certificateKey !== undefined && { certificateKey: init.certificateKey }),
        skipTokenPrint: flags['skip-token-print'] ?? false,
        skipCertificateKeyPrint: flags['skip-certificate-key-print'] ?? false,
      }),
    )
  },
)
