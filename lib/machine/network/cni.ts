/** The Pod network of a single node: CNI's own bridge, host-local and portmap plugins, one address range per family. */
import type { Json, JsonObject } from '../../base/json.ts'
import { LAYOUT } from '../../base/paths.ts'

/** Name of the network, which stands in what its plugins make. */
export const NETWORK = 'kubestep'

/** Names of our configuration; the first that comes before everybody else's is taken. */
export const NETWORK_FILES: readonly string[] = ['10-kubestep.conflist', '00-kubestep.conflist', '0-kubestep.conflist']

/**
 * Whether a runtime takes a file of ours first in a folder with these names. Source: containerd go-cni opts.go, libcni
 * ConfFiles: sorted by name, .conf, .conflist and .json.
 */
export function isFirst(own: string, present: readonly string[]): boolean {
  const others = present.filter(name => /\.(conf|conflist|json)$/.test(name) && !NETWORK_FILES.includes(name))
  return others.every(other => own < other)
}

/** What an interface has by itself. */
const USUAL_MTU = 1500

/** Pod addresses of one family. */
export interface PodRange {
  /** CIDR of this node, e.g. `10.244.0.0/24`. */
  readonly subnet: string
  readonly family: 4 | 6
}

/**
 * The network configuration list as an object. `dataDir` is where host-local keeps which address is whose, `mtu` what
 * the way to other machines carries. What leaves for elsewhere gets this machine's address by rules of ours: the plugin
 * knows this node's range alone, and would do it for Pods of other nodes, too.
 * Source: containernetworking.github.io, plugins bridge, host-local, portmap; CNI spec 0.4.0, which every
 * containerd since 1.6 and every plugin release that distributions carry understand.
 */
export function cniConfig(ranges: readonly PodRange[], dataDir: string, mtu: number = USUAL_MTU): JsonObject {
  const everywhere: Readonly<Record<4 | 6, string>> = { 4: '0.0.0.0/0', 6: '::/0' }
  return {
    cniVersion: '0.4.0',
    name: NETWORK,
    plugins: [
      {
        type: 'bridge',
        bridge: LAYOUT.cni.bridge,
        isGateway: true,
        ipMasq: false,
        ...(mtu !== USUAL_MTU && { mtu }),
        // A Pod has to reach itself through its own Service.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir,
          ranges: ranges.map(({ subnet }): Json => [{ subnet }]),
          routes: ranges.map(({ family }): Json => ({ dst: everywhere[family] })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  }
}
