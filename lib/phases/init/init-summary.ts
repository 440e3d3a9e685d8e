/** What people and programs need to know when the cluster is up. */

import type { Json } from '../../base/json.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { secondsText } from '../../base/stopwatch.ts'
import type { Flags } from '../../cli/options.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { localUrl } from '../../kubeadm/credentials/kubeconfigs.ts'
import { imageList } from '../../kubeadm/images/image-list.ts'
import { initDoneText } from '../../kubeadm/objects/join-command.ts'
import { readFile } from '../../machine/files.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import type { ClusterUp } from './bring-up.ts'
import { block, resetCommand, useCommands } from './next-commands.ts'

/** What the end of an init depends on besides the cluster itself. */
export interface SummaryOptions {
  readonly flags: Pick<Flags, 'cni' | 'profile' | 'skip-token-print' | 'skip-certificate-key-print' | 'upload-certs'>
  /** The text of admin.conf; undefined when the phase that makes it was skipped, and none was there. */
  readonly adminConf: string | undefined
  /** Whether a kubectl is on the PATH. */
  readonly hasKubectl: boolean
}

/**
 * Lines for the end of an init: what was reached, where admin.conf is, how other nodes join. No join command, and no
 * token in a log, with the ci profile: its clusters have one node.
 */
export function summary(up: ClusterUp, options: SummaryOptions): string[] {
  const { config, gates, timings, kubectl } = up
  const slowest = Math.max(0, timings.nodes ?? 0, ...gates.map(({ name }) => timings[name] ?? 0))
  const withJoin = options.flags.profile !== 'ci' && !isSkipped('show-join-command', config.init.skipPhases)
  return [
    `[init] Kubernetes ${config.cluster.kubernetesVersion} is ready after ${secondsText(slowest || (timings['objects applied'] ?? 0))}`,
    ...(withJoin && options.adminConf !== undefined ? joinLines(up, options.adminConf, options) : []),
    '[init] To use it:',
    ...block(useCommands(options.hasKubectl ? 'kubectl' : kubectl)),
    ...(!wantsNetwork(options.flags.cni)
      ? ['[init] There is no Pod network: the node becomes Ready when you have put one into the cluster']
      : []),
    '[init] To take it away again:',
    ...block([resetCommand()]),
  ]
}

function joinLines({ config, certificateKey }: ClusterUp, adminConf: string, { flags }: SummaryOptions): string[] {
  const { server, ca } = readCredentials(adminConf, KUBERNETES.adminConf, path => readFile('/', path))
  const text = initDoneText({
    access: { server, caCertificate: ca },
    adminConf: KUBERNETES.adminConf,
    hasControlPlaneEndpoint: config.cluster.controlPlaneEndpoint !== undefined,
    certificatesUploaded: flags['upload-certs'] ?? false,
    tokens: config.init.bootstrapTokens.map(({ token }) => token),
    ...(certificateKey !== undefined && { certificateKey }),
    skipTokenPrint: flags['skip-token-print'] ?? false,
    skipCertificateKeyPrint: flags['skip-certificate-key-print'] ?? false,
  })
  return text.split('\n')
}

/** The same for programs: the event "ready". Timings are milliseconds since the start, by what was reached. */
export function facts({ config, gates, runtime, timings }: ClusterUp): Readonly<Record<string, Json>> {
  return {
    kubernetesVersion: config.cluster.kubernetesVersion,
    nodeName: config.init.nodeRegistration.name,
    server: localUrl(config),
    kubeconfig: KUBERNETES.adminConf,
    runtime: { name: runtime.name, version: runtime.version },
    images: imageList(config),
    gates: gates.map(({ name, afterMs }) => ({ name, afterMs })),
    timings,
  }
}
