/** Files of a live node beyond the ones that kubeadm writes before the kubelet starts. */
import type { InitConfig } from '../config/types.ts'
import type { FileEntry } from '../files.ts'
import { rotatedCertificatePath, rotatedKubeconfig } from '../kubelet/rotation.ts'
import { LAYOUT } from '../layout.ts'
import { cniConfig } from '../network/cni.ts'
import { parse } from '../yaml.ts'
import { nodePodRanges } from './pod-network.ts'

export interface KubeletIdentity {
  readonly files: readonly FileEntry[]
  /** A link beside the first file, as the kubelet's own rotation makes it. */
  readonly link: { readonly path: string; readonly target: string }
}

/**
 * The kubelet's certificate and kubelet.conf in their final form. kubeadm writes them embedded and has the kubelet
 * started a second time once it has copied them to where it rotates them (kubelet-finalize): this saves the restart.
 */
export function kubeletIdentity(config: InitConfig, kubeletConf: FileEntry, now: Date): KubeletIdentity {
  const link = rotatedCertificatePath(config)
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-').replace('T', '-')
  const target = `kubelet-client-${stamp}.pem`
  const text = kubeletConf.content.toString()
  const { users } = parse(text) as { users: readonly { user: Readonly<Record<string, string>> }[] }
  const user = users[0]?.user ?? {}
  const pem = ['client-certificate-data', 'client-key-data']
    .map(field => Buffer.from(user[field] ?? '', 'base64').toString())
    .join('')
  return {
    files: [
      { path: link.replace(/[^/]+$/, target), mode: 0o600, content: pem },
      { ...kubeletConf, content: rotatedKubeconfig(text, link) },
    ],
    link: { path: link, target },
  }
}

/** The CNI configuration, where the runtime looks for it. */
export function podNetworkFile(config: InitConfig, confDir: string): FileEntry {
  const ranges = nodePodRanges(config.cluster.networking)
  return {
    path: `${confDir}/10-kubestep.conflist`,
    mode: 0o644,
    content: `${JSON.stringify(cniConfig(ranges, LAYOUT.cni.data), null, 2)}\n`,
  }
}
