/** Routes to the Pods of other nodes, known by a protocol number of our own in the kernel's table. */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { ProcessOutput } from 'zx/core'
import { KubestepError } from '../../base/errors.ts'
import { $ } from '../command.ts'

export interface PodRoute {
  readonly family: 4 | 6
  /** A node's range, e.g. `10.244.1.0/24`. */
  readonly subnet: string
  /** The node's address. */
  readonly via: string
}

/** A number that no routing daemon has. Source: iproute2 etc/iproute2/rt_protos. */
const PROTOCOL = '142'

const FAMILIES = [4, 6] as const

/** What has to go and what has to come, so that what is there is what is wanted. */
export function routeSteps(
  present: readonly PodRoute[],
  wanted: readonly PodRoute[],
): { readonly add: readonly PodRoute[]; readonly remove: readonly PodRoute[] } {
  const isIn = (routes: readonly PodRoute[], { subnet, via }: PodRoute): boolean =>
    routes.some(other => other.subnet === subnet && other.via === via)
  return {
    add: wanted.filter(route => !isIn(present, route)),
    // A route is replaced by the one to the same range.
    remove: present.filter(route => wanted.every(({ subnet }) => subnet !== route.subnet)),
  }
}

/** Routes in what `ip -oneline route show` prints. */
export function routesIn(output: string, family: 4 | 6): PodRoute[] {
  return output.split('\n').flatMap(line => {
    const [, subnet, via] = /^(\S+) via (\S+)/.exec(line) ?? []
    return subnet === undefined || via === undefined ? [] : [{ family, subnet, via }]
  })
}

/** Makes our routes be these and no others. Throws a KubestepError with the kernel's reasons, when all was tried. */
export async function setPodRoutes(wanted: readonly PodRoute[]): Promise<void> {
  const present = (await Promise.all(FAMILIES.map(presentRoutes))).flat()
  const { add, remove } = routeSteps(present, wanted)
  const faults: string[] = []
  for (const { family, subnet } of remove) await ip(family, 'route', 'del', subnet, 'proto', PROTOCOL)
  for (const { family, subnet, via } of add) {
    const { exitCode, stderr } = await ip(family, 'route', 'replace', subnet, 'via', via, 'proto', PROTOCOL)
    if (exitCode !== 0) faults.push(`network: cannot set a route to "${subnet}" by "${via}": ${stderr.trim()}`)
  }
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
}

async function presentRoutes(family: 4 | 6): Promise<PodRoute[]> {
  return routesIn((await ip(family, '-oneline', 'route', 'show', 'proto', PROTOCOL)).stdout, family)
}

/** Takes all of ours away. */
export async function removePodRoutes(): Promise<void> {
  for (const family of FAMILIES) await ip(family, 'route', 'flush', 'proto', PROTOCOL)
}

/** What to do where nodes share no network. */
export const BRING_NETWORK = 'bring a Pod network such as flannel, Calico or Cilium'

/**
 * Whether packets to an address go straight to it: only then does a route by it lead anywhere. What no route leads to
 * does not count as near.
 */
export async function isNear(address: string): Promise<boolean> {
  const { exitCode, stdout } = await ip(address.includes(':') ? 6 : 4, '-oneline', 'route', 'get', address)
  return exitCode === 0 && !/^\S+ (?:from \S+ )?via /.test(stdout)
}

/**
 * How large packets may be on the interface that has an address; undefined when none has, and for an address on the
 * loopback, whose packets of 65536 bytes no link and no bridge takes.
 */
export function mtuOf(address: string): number | undefined {
  const found = Object.entries(networkInterfaces()).find(([, all = []]) =>
    all.some(one => one.address === address && !one.internal),
  )
  return found === undefined ? undefined : readMtu(found[0])
}

function readMtu(interfaceName: string): number | undefined {
  const mtu = Number(readFileSync(`/sys/class/net/${interfaceName}/mtu`, 'utf8'))
  return mtu > 0 ? mtu : undefined
}

function ip(family: 4 | 6, ...args: readonly string[]): Promise<ProcessOutput> {
  return $({ nothrow: true })`ip -${family} ${args}`
}
