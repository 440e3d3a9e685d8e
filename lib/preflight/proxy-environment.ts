/** Which proxy Go's programs would take to an address. */
import { type Address, containsAddress, isLoopback, parseAddress, parseSubnet } from '../address.ts'
import type { EnvVar } from '../config/types.ts'

/**
 * `host:port` of the proxy for https, without user and password; undefined for a direct way.
 * Source: golang.org/x/net/http/httpproxy: upper case first; loopback is never proxied; NO_PROXY holds addresses,
 * ranges, names and `*`.
 */
export function proxyFor(environment: readonly EnvVar[], address: Address): string | undefined {
  const value = (name: string): string =>
    environment.find(variable => variable.name === name)?.value ??
    environment.find(variable => variable.name === name.toLowerCase())?.value ??
    ''
  const proxy = value('HTTPS_PROXY')
  if (proxy === '' || isLoopback(address)) return undefined
  const entries = value('NO_PROXY')
    .split(',')
    .map(entry => entry.trim())
  return entries.some(entry => covers(entry, address)) ? undefined : withoutPassword(proxy)
}

function covers(entry: string, address: Address): boolean {
  if (entry === '*') return true
  const subnet = parseSubnet(entry)
  if (subnet !== undefined) return containsAddress(subnet, address)
  const single = parseAddress(entry)
  return single !== undefined && single.family === address.family && single.value === address.value
}

function withoutPassword(proxy: string): string {
  return URL.canParse(proxy) ? new URL(proxy).host : proxy.replace(/^.*@/, '')
}
