/** Where this machine sends packets, from the kernel's tables. Pure parsing. */
import { BITS, parseAddress, type Subnet } from '../../base/address.ts'

export interface Route {
  readonly subnet: Subnet
  readonly interfaceName: string
}

const RTF_UP = 0x1
const RTF_REJECT = 0x200

/** Routes to some of the world, not all of it, in the text of /proc/net/route: 32-bit words in the host's order. */
export function routes4(text: string): Route[] {
  return rows(text.split('\n').slice(1).join('\n')).flatMap(
    ([interfaceName = '', destination, , flags, , , , mask]) => {
      if (destination === undefined || mask === undefined || !isUsed(flags)) return []
      const prefix = word(mask).toString(2).replaceAll('0', '').length
      const subnet: Subnet = { address: { family: 4, value: BigInt(word(destination)) }, prefix }
      return prefix === 0 ? [] : [{ subnet, interfaceName }]
    },
  )
}

/** The same of /proc/net/ipv6_route, without link-local, multicast and loopback routes. */
export function routes6(text: string): Route[] {
  return rows(text).flatMap(fields => {
    const [destination = '', length = '', , , , , , , flags, interfaceName = ''] = fields
    const prefix = Number.parseInt(length, 16)
    const address = parseAddress(destination.match(/.{4}/g)?.join(':') ?? '')
    if (address === undefined || !isUsed(flags) || interfaceName === 'lo' || !(prefix > 0)) return []
    const isLocal = address.value >> 118n === 0x3fan || address.value >> 120n === 0xffn
    return isLocal ? [] : [{ subnet: { address, prefix }, interfaceName }]
  })
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => line.trim().split(/\s+/))
}

function isUsed(flags = '0'): boolean {
  const bits = Number.parseInt(flags, 16)
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0
}

function word(hex: string): number {
  return Number.parseInt((hex.match(/../g) ?? []).reverse().join(''), 16)
}

/** Whether two subnets have an address in common. */
export function overlap(a: Subnet, b: Subnet): boolean {
  if (a.address.family !== b.address.family) return false
  const shift = BigInt(BITS[a.address.family] - Math.min(a.prefix, b.prefix))
  return a.address.value >> shift === b.address.value >> shift
}
