/** Network interfaces of this machine. */
import { readdirSync } from 'node:fs'
import { run } from '../command.ts'

/** Names of all interfaces. */
export function presentLinks(): string[] {
  try {
    return readdirSync('/sys/class/net').sort()
  } catch {
    return []
  }
}

/** Interfaces that a cluster makes: the bridge of our Pod network, its veth pairs, kube-proxy's in ipvs mode. */
const CLUSTER_LINK = /^(cni0|veth[0-9a-f]{8}|kube-ipvs0)$/

/** Removes the cluster's interfaces but those in `kept`. */
export async function removeLinks(kept: readonly string[]): Promise<void> {
  const gone = presentLinks().filter(name => CLUSTER_LINK.test(name) && !kept.includes(name))
  for (const name of gone) await run(['ip', 'link', 'delete', name])
}
