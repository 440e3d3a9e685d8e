/** Pod networks of other clusters, as they are recognised by what they leave: interfaces and files for the runtime. */

interface OtherNetwork {
  readonly name: string
  readonly links: RegExp
  readonly files: RegExp
}

/** Source: each project's manifests and documentation of its interfaces. */
const OTHER_NETWORKS: readonly OtherNetwork[] = [
  { name: 'flannel', links: /^flannel(?:-v6)?\.\d+$|^flannel-wg/, files: /flannel/ },
  {
    name: 'Calico',
    links: /^(?:cali[0-9a-f]{11}|vxlan(?:-v6)?\.calico|wireguard(?:-v6)?\.cali|wg-v6\.cali)$/,
    files: /calico|canal/,
  },
  { name: 'Cilium', links: /^cilium_(?:host|net|vxlan|geneve|wg0)$|^lxc(?:_health|[0-9a-f]{12})$/, files: /cilium/ },
  { name: 'Weave Net', links: /^(?:weave|datapath|vethwe.*|vxlan-6784)$/, files: /weave/ },
  { name: 'kube-router', links: /^kube-(?:bridge|dummy-if)$/, files: /kuberouter|kube-router/ },
  { name: 'Antrea', links: /^antrea-(?:gw|tun)\d+$/, files: /antrea/ },
  { name: 'kindnet', links: /^$/, files: /kindnet/ },
]

export interface Leftover {
  readonly name: string
  readonly links: readonly string[]
}

/** The networks whose interfaces are among those of a machine. */
export function leftoverNetworks(links: readonly string[]): Leftover[] {
  return OTHER_NETWORKS.map(({ name, links: own }) => ({ name, links: links.filter(link => own.test(link)) })).filter(
    ({ links: found }) => found.length > 0,
  )
}

/** Whether an interface is one of another Pod network. */
export function isOthersLink(link: string): boolean {
  return OTHER_NETWORKS.some(({ links }) => links.test(link))
}

/** Whose file for the runtime it is; undefined where nobody knows. */
export function networkOfFile(file: string): string | undefined {
  return OTHER_NETWORKS.find(({ files }) => files.test(file))?.name
}

/** What takes interfaces away, as a line to copy; those of Pods go with the Pods. */
export function clearLinks(links: readonly string[]): string {
  return links.map(link => `ip link delete ${link}`).join(' && ')
}
