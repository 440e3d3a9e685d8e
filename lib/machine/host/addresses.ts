/** Addresses of this machine, from the kernel's routing tables and its interfaces. Pure parsing. */

import { isGlobalUnicast, parseAddress } from '../../base/address.ts'

/** One address of one interface; what node:os networkInterfaces() knows. */
export interface InterfaceAddress {
  readonly interfaceName: string
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
}

export interface AddressPair {
  readonly ipv4?: string
  readonly ipv6?: string
}

const RTF_UP = 0x1
const RTF_GATEWAY = 0x2

/**
 * Interfaces that hold a default route, in the order of the table. `text` is /proc/net/route.
 * Source: kubeadm asks apimachinery's util/net for this; a route counts when it is up and has a gateway.
 */
export function defaultRouteInterfaces4(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1] === '00000000' && fields[7] === '00000000' && isGateway(fields[3]))
    .map(fields => fields[0] ?? '')
}

/** The same for /proc/net/ipv6_route. */
export function defaultRouteInterfaces6(text: string): string[] {
  const unspecified = '0'.repeat(32)
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(
      fields => fields[0] === unspecified && fields[1] === '00' && fields[4] !== unspecified && isGateway(fields[8]),
    )
    .map(fields => fields[9] ?? '')
}

function isGateway(flags: string | undefined): boolean {
  const bits = Number.parseInt(flags ?? '0', 16)
  return (bits & RTF_UP) !== 0 && (bits & RTF_GATEWAY) !== 0
}

/** The first global unicast address of each family on the given interfaces. */
export function globalAddresses(
  addresses: readonly InterfaceAddress[],
  interfaceNames: readonly string[],
): AddressPair {
  const find = (family: 'IPv4' | 'IPv6'): string | undefined => {
    for (const name of interfaceNames) {
      const found = addresses.find(a => a.interfaceName === name && a.family === family && isGlobal(a.address))
      if (found !== undefined) return found.address
    }
    return undefined
  }
  const ipv4 = find('IPv4')
  const ipv6 = find('IPv6')
  return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) }
}

function isGlobal(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && isGlobalUnicast(address)
}
