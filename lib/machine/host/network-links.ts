/** Network interfaces of this machine. */
import { readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../command.ts'

const LINKS = '/sys/class/net'

/** Names of all interfaces. */
export function presentLinks(): string[] {
  try {
    return readdirSync(LINKS).sort()
  } catch {
    return []
  }
}

/** Interfaces that a cluster makes: the bridge of our Pod network, that of load balancers, kube-proxy's in ipvs mode. */
const CLUSTER_LINKS: readonly string[] = [LAYOUT.cni.bridge, LAYOUT.balancer.link, 'kube-ipvs0']

/**
 * Removes the cluster's interfaces but those in `kept`: also what hangs on the bridge, the Pods' veth pairs. Gives what
 * stays all the same.
 */
export async function removeLinks(kept: readonly string[]): Promise<string[]> {
  const gone = presentLinks()
    .filter(name => CLUSTER_LINKS.includes(name) || masterOf(name) === LAYOUT.cni.bridge)
    .filter(name => !kept.includes(name))
  for (const name of gone) await $({ nothrow: true })`ip link delete ${name}`
  const present = presentLinks()
  return gone.filter(name => present.includes(name)).map(name => `interface ${name}`)
}

function masterOf(name: string): string | undefined {
  try {
    return basename(readlinkSync(`${LINKS}/${name}/master`))
  } catch {
    return undefined
  }
}
