/** A range of addresses that nothing on this machine uses. */
import { type Family, parseSubnet, type Subnet } from '../../base/address.ts'
import { LAYOUT } from '../../base/paths.ts'
import type { HostSource } from '../host/host-source.ts'
import { overlap, type Route, routes4, routes6 } from '../host/routes.ts'

/**
 * In the order in which they are tried: what is set aside for measuring networks and so is nobody's (RFC 2544), then
 * private ranges; for IPv6 a prefix of our own out of the local ones (RFC 4193).
 */
export const RANGES: Readonly<Record<Family, readonly string[]>> = {
  4: ['198.18.240.0/20', '198.19.240.0/20', '172.31.240.0/20', '10.255.240.0/20'],
  6: ['fd6b:7374:6570:1b::/112', 'fd6b:7374:6570:2b::/112'],
}

/** The first one that shares no address with `taken` or with where this machine sends packets. */
export function freeRange(family: Family, host: HostSource, taken: readonly Subnet[]): Subnet | undefined {
  const used = [...taken, ...routesOf(host).map(({ subnet }) => subnet)]
  return RANGES[family]
    .map(parseSubnet)
    .find((range): range is Subnet => range !== undefined && !used.some(other => overlap(range, other)))
}

/** The interface of this machine, but for our own, that leads to some of a range; undefined when nothing does. */
export function userOf(range: Subnet, host: HostSource): string | undefined {
  return routesOf(host).find(
    ({ subnet, interfaceName }) => interfaceName !== LAYOUT.balancer.link && overlap(range, subnet),
  )?.interfaceName
}

function routesOf(host: HostSource): Route[] {
  return [...routes4(host.read('/proc/net/route') ?? ''), ...routes6(host.read('/proc/net/ipv6_route') ?? '')]
}
