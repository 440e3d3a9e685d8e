/**
 * Which proxy the environment names for an address. One reading for preflight, for what is fetched and for what the
 * cluster's own programs do, so it is that of Go: `NO_PROXY` knows ranges, ports, dots and stars.
 * Source: golang.org/x/net/http/httpproxy (Go 1.26).
 */
import { domainToASCII } from 'node:url'
import { type Address, containsAddress, isLoopback, parseAddress, parseSubnet } from './address.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Where a connection goes. */
export interface Destination {
  readonly scheme: 'http' | 'https'
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  readonly port: string
}

export type ProxyChoice =
  | { readonly kind: 'direct' }
  | { readonly kind: 'proxy'; readonly url: URL }
  /** A variable names something that is no proxy; its value may hold a password, so it is not shown. */
  | { readonly kind: 'fault'; readonly variable: string; readonly reason: string }

const DIRECT: ProxyChoice = { kind: 'direct' }
const PORTS = { http: '80', https: '443' } as const
const ADVICE = 'write it like http://proxy.example.org:3128'

/** The variables that name a proxy, by scheme; the first that is set counts. */
const NAMES: Readonly<Record<Destination['scheme'], readonly string[]>> = {
  http: ['HTTP_PROXY', 'http_proxy'],
  https: ['HTTPS_PROXY', 'https_proxy'],
}
const NO_PROXY: readonly string[] = ['NO_PROXY', 'no_proxy']
/** What curl knows beside them, and Go does not. */
const ANY_PROXY: readonly string[] = ['ALL_PROXY', 'all_proxy']

/** The way to a destination as Go's programs take it. */
export function proxyFor(destination: Destination, variables: Variables): ProxyChoice {
  return choose(destination, variables, NAMES[destination.scheme])
}

/** The way to a URL for what this process fetches: as `proxyFor`, and where that names nothing as curl. */
export function fetchProxyFor(url: URL, variables: Variables): ProxyChoice {
  const scheme = url.protocol === 'http:' ? 'http' : 'https'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return choose({ scheme, host, port: url.port || PORTS[scheme] }, variables, [...NAMES[scheme], ...ANY_PROXY])
}

/** Whether any variable names a proxy. */
export function namesProxy(variables: Variables): boolean {
  return first([...NAMES.http, ...NAMES.https, ...ANY_PROXY], variables) !== undefined
}

/** `host:port` of a proxy; its user name and password are nobody's business. */
export function proxyAddress({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === 'http:' ? PORTS.http : PORTS.https)}`
}

function choose(destination: Destination, variables: Variables, names: readonly string[]): ProxyChoice {
  const variable = first(names, variables)
  if (variable === undefined || !usesProxy(destination, variables[first(NO_PROXY, variables) ?? ''] ?? ''))
    return DIRECT
  const read = readProxy(variables[variable] ?? '')
  return typeof read === 'string' ? { kind: 'fault', variable, reason: read } : { kind: 'proxy', url: read }
}

function first(names: readonly string[], variables: Variables): string | undefined {
  return names.find(name => variables[name])
}

/** The address of a proxy, `http://` where no scheme is said, or what is wrong with it. */
function readProxy(value: string): URL | string {
  const text = value.trim()
  const whole = text.includes('://') ? text : `http://${text}`
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(whole) && URL.canParse(whole) ? new URL(whole) : undefined
  if (url === undefined || !/^(?:https?|socks5h?):$/.test(url.protocol)) {
    return `it is not an http or https address; ${ADVICE}`
  }
  if (url.protocol.startsWith('socks')) return `SOCKS is not spoken here, only http; ${ADVICE}`
  if (!canDecode(url.username) || !canDecode(url.password)) {
    return 'a "%" in its user name or password begins no code; write it as %25'
  }
  return url
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function usesProxy({ host, port }: Destination, exceptions: string): boolean {
  const address = parseAddress(host)
  if (host === 'localhost' || (address !== undefined && isLoopback(address))) return false
  const name = asciiName(host.trim().toLowerCase())
  const entries = exceptions.split(',').map(entry => entry.trim().toLowerCase())
  return !entries.some(entry => entry === '*' || covers(entry, name, address, port))
}

/** Whether an entry of NO_PROXY is about a host: a range, an address or a name, the last two also with a port. */
function covers(entry: string, host: string, address: Address | undefined, port: string): boolean {
  const subnet = parseSubnet(entry)
  if (subnet !== undefined) return address !== undefined && containsAddress(subnet, address)
  const [, bracketed, plain, wantedPort] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(entry) ?? []
  const wanted = bracketed ?? plain ?? entry
  if (wanted === '' || (wantedPort && wantedPort !== port)) return false
  const single = parseAddress(wanted)
  if (single !== undefined) return single.family === address?.family && single.value === address.value
  // `example.org` is the host itself too, `.example.org` and `*.example.org` only what is below it.
  const domain = asciiName(wanted.replace(/^\*\./, '.'))
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

function asciiName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(name)) return name
  return name.startsWith('.') ? `.${domainToASCII(name.slice(1))}` : domainToASCII(name)
}
