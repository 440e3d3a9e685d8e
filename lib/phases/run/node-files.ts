/** Files of a live node beyond the ones that kubeadm writes before the kubelet starts. */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { rotatedCertificatePath, rotatedKubeconfig } from '../../kubeadm/kubelet/rotation.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import { type FileEntry, listFolder } from '../../machine/files.ts'
import { cniConfig, isFirst, NETWORK_FILES } from '../../machine/network/cni.ts'
import { nodePodRanges } from '../../machine/network/pod-network.ts'
import { mtuOf } from '../../machine/network/pod-routes.ts'

/** Files of a node before its kubelet starts. */
export interface NodeFiles {
  readonly files: readonly FileEntry[]
  /** A link beside the kubelet's certificate, as its own rotation makes it. */
  readonly link?: KubeletIdentity['link']
  /** Paths of files that are there already, and change. */
  readonly changed: readonly string[]
}

/** What was rendered, with kubelet.conf in its final form, also one that is there already (`read` reads the host). */
export function nodeFiles(
  config: InitConfig,
  rendered: readonly FileEntry[],
  read: (path: string) => string | undefined,
  now: Date,
): NodeFiles {
  const made = rendered.find(({ path }) => path === KUBERNETES.kubeletConf)
  const there = read(KUBERNETES.kubeletConf)
  const conf = made ?? (there === undefined ? undefined : { path: KUBERNETES.kubeletConf, mode: 0o600, content: there })
  const isFinal = isSkipped(ROTATION, config.init.skipPhases)
  const identity = conf === undefined || isFinal ? undefined : kubeletIdentity(config, conf, now)
  if (identity === undefined) return { files: rendered, changed: [] }
  return {
    files: [...rendered.filter(file => file !== made), ...identity.files],
    link: identity.link,
    changed: there === undefined ? [] : [KUBERNETES.kubeletConf],
  }
}

/** The phase that does it in kubeadm. */
const ROTATION = 'kubelet-finalize/enable-client-cert-rotation'

export interface KubeletIdentity {
  readonly files: readonly FileEntry[]
  /** A link beside the first file, as the kubelet's own rotation makes it. */
  readonly link: { readonly path: string; readonly target: string }
}

/**
 * The kubelet's certificate and kubelet.conf in their final form. kubeadm writes them embedded and has the kubelet
 * started a second time once it has copied them to where it rotates them (kubelet-finalize): this saves the restart.
 * undefined when it holds no certificate and key, but names files of the user's own.
 */
export function kubeletIdentity(config: InitConfig, kubeletConf: FileEntry, now: Date): KubeletIdentity | undefined {
  const link = rotatedCertificatePath(config)
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-').replace('T', '-')
  const target = `kubelet-client-${stamp}.pem`
  const text = kubeletConf.content.toString()
  const { users } = parse(text) as { users: readonly { user: Readonly<Record<string, string>> }[] }
  const user = users[0]?.user ?? {}
  if (!user['client-certificate-data'] || !user['client-key-data']) return undefined
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

/**
 * The CNI configuration, where the runtime looks for it. A runtime takes the first file of the folder: what others have
 * there stays, and comes later. Throws a KubestepError where nothing comes first.
 */
export function podNetworkFile(
  config: InitConfig,
  confDir: string,
  present: readonly string[] = listFolder('/', confDir) ?? [],
): FileEntry {
  const ranges = nodePodRanges(config.cluster.networking, nodeMasks(config))
  const mtu = mtuOf(config.init.localAPIEndpoint.advertiseAddress)
  const name = NETWORK_FILES.find(own => isFirst(own, present))
  if (name === undefined) {
    const [first] = [...present].sort()
    throw new KubestepError(
      `network: cannot set up the Pod network in "${confDir}": the runtime takes "${first}" first; move that away, or use it with --cni none`,
    )
  }
  return {
    path: `${confDir}/${name}`,
    mode: 0o644,
    content: `${JSON.stringify(cniConfig(ranges, LAYOUT.cni.data, mtu), null, 2)}\n`,
  }
}

/** Lengths of a node's mask, where the controller manager is told. Source: kube-controller-manager nodeipam (v1.36). */
function nodeMasks({ cluster }: InitConfig): Partial<Record<4 | 6, number>> {
  const told = (flag: string): number | undefined => {
    const value = argumentValue(cluster.controllerManager.extraArgs, `node-cidr-mask-size${flag}`)
    return value === undefined ? undefined : Number(value)
  }
  const [four, six] = [told('-ipv4') ?? told(''), told('-ipv6') ?? told('')]
  return { ...(four !== undefined && { 4: four }), ...(six !== undefined && { 6: six }) }
}
