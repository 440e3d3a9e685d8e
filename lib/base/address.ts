/**
 * IP addresses and subnets, read and printed as Go's net package does (leading zeros in IPv4 are decimal,
 * as Kubernetes' ParseIPSloppy has it; an IPv4-mapped IPv6 address is IPv4).
 */

export type Family = 4 | 6

export interface Address {
  readonly family: Family
  /** The bits as a number. */
  readonly value: bigint
}

export interface Subnet {
  /** The first address: host bits are zero. */
  readonly address: Address
  /** Length of the mask. */
  readonly prefix: number
}

/** Bits of an address, by family. */
export const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/** Reads `10.0.0.5` or `fd00::5`; undefined when the text is no address. Zones (`fe80::1%eth0`) are none. */
export function parseAddress(text: string): Address | undefined {
  const value4 = parse4(text)
  if (value4 !== undefined) return { family: 4, value: value4 }
  const value6 = parse6(text)
  if (value6 === undefined) return undefined
  return value6 >> 32n === 0xffffn ? { family: 4, value: value6 & 0xffffffffn } : { family: 6, value: value6 }
}

function parse4(text: string): bigint | undefined {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(text)) return undefined
  const parts = text.split('.').map(Number)
  if (parts.some(part => part > 255)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parse6(text: string): bigint | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (tail !== null) {
    const embedded = parse4(tail[2] ?? '')
    if (embedded === undefined) return undefined
    return parse6(`${tail[1]}${(embedded >> 16n).toString(16)}:${(embedded & 0xffffn).toString(16)}`)
  }
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, rest] = halves.map(half => (half === '' ? [] : half.split(':')))
  const missing = 8 - (head?.length ?? 0) - (rest?.length ?? 0)
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...(head ?? []), ...Array<string>(missing).fill('0'), ...(rest ?? [])]
  if (!groups.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** `10.0.0.5`, or IPv6 in lower case with the longest run of zeros as `::`. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  // URLs have them in the form of RFC 5952, as Go has.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** Reads `10.96.0.0/12`; host bits are cleared. Undefined when the text is no subnet. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, addressText = '', prefixText = ''] = /^([^/]+)\/(\d+)$/.exec(text) ?? []
  const address = parseAddress(addressText)
  const prefix = Number(prefixText)
  if (address === undefined || prefixText === '' || prefix > BITS[address.family]) return undefined
  const hostBits = BigInt(BITS[address.family] - prefix)
  return { address: { family: address.family, value: (address.value >> hostBits) << hostBits }, prefix }
}

/** `10.96.0.0/12`. */
export function formatSubnet({ address, prefix }: Subnet): string {
  return `${formatAddress(address)}/${prefix}`
}

/** How many addresses a subnet has. */
export function subnetSize({ address, prefix }: Subnet): bigint {
  return 1n << BigInt(BITS[address.family] - prefix)
}

/** The address `index` places after the first, e.g. 10 for the cluster's DNS; undefined when the subnet is too small. */
export function nthAddress(subnet: Subnet, index: number): Address | undefined {
  if (BigInt(index) >= subnetSize(subnet)) return undefined
  return { family: subnet.address.family, value: subnet.address.value + BigInt(index) }
}

/** Whether the address lies in the subnet. */
export function containsAddress({ address: first, prefix }: Subnet, { family, value }: Address): boolean {
  const hostBits = BigInt(BITS[first.family] - prefix)
  return family === first.family && value >> hostBits === first.value >> hostBits
}

/** `0.0.0.0` or `::`. */
export function isUnspecified({ value }: Address): boolean {
  return value === 0n
}

/** 127.0.0.0/8 or `::1`. */
export function isLoopback({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n
}

/** Neither unspecified, loopback, link-local, multicast nor broadcast; private ranges count, as in Go's IsGlobalUnicast. */
export function isGlobalUnicast(address: Address): boolean {
  if (isUnspecified(address) || isLoopback(address)) return false
  const { family, value } = address
  if (family === 4) return value >> 28n !== 0xen && value !== 0xffffffffn && value >> 16n !== 0xa9fen
  return value >> 120n !== 0xffn && value >> 118n !== 0x3fan
}

/** `10.0.0.5:6443`, `[fd00::5]:6443`. */
export function joinHostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The host of an address like `https://[fd00::1]:2380`, without the brackets of IPv6. Throws a TypeError for what is none. */
export function hostOfUrl(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}
