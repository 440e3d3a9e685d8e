/** The file of the Pod network. */
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import { type FileEntry, listFolder } from '../../machine/files.ts'
import { cniConfig, isFirst, NETWORK_FILES } from '../../machine/network/cni.ts'
import { nodePodRanges } from '../../machine/network/pod-network.ts'
import { mtuOf } from '../../machine/network/pod-routes.ts'

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
