/** What Go's net/url makes of a URL's scheme, host and port; kubeadm derives etcd's probe from it. */
import { isIPv6 } from 'node:net'

export interface GoUrl {
  /** Lower case; empty when there is none. */
  readonly scheme: string
  /** Without brackets and port; empty when there is none. */
  readonly hostname: string
  /** As written; empty when there is none. */
  readonly port: string
}

// What a host may hold unescaped. Source: Go net/url shouldEscape, mode encodeHost.
const HOST = /^[-A-Za-z0-9._~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]*$/u
const USER_INFO = /^[-A-Za-z0-9._:~!$&'()*+,;=%@]*$/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/**
 * Reads a URL as Go's url.Parse does; undefined where that fails. `strict`: as since Go 1.26, which refuses
 * hosts with stray colons and brackets around anything but IPv6. Source: Go net/url (1.15 and 1.26).
 */
export function parseGoUrl(text: string, strict: boolean): GoUrl | undefined {
  const [whole = '', ...fragment] = text.split('#')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what Go refuses.
  if (/[\x00-\x1f\x7f]/.test(text) || BAD_ESCAPE.test(fragment.join('#'))) return undefined
  if (whole.startsWith(':')) return undefined
  const scheme = /^([A-Za-z][-A-Za-z0-9+.]*):/.exec(whole)?.[1] ?? ''
  const rest = (scheme === '' ? whole : whole.slice(scheme.length + 1)).split('?')[0] ?? ''
  const bare = { scheme: scheme.toLowerCase(), hostname: '', port: '' }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return bare
    return rest.split('/')[0]?.includes(':') || BAD_ESCAPE.test(rest) ? undefined : bare
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) {
    return BAD_ESCAPE.test(rest) ? undefined : bare
  }
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/.exec(rest) ?? []
  if (BAD_ESCAPE.test(path)) return undefined
  const at = authority.lastIndexOf('@')
  if (at !== -1 && !isUserInfo(authority.slice(0, at))) return undefined
  const host = parseHost(authority.slice(at + 1), strict)
  return host === undefined ? undefined : { ...bare, ...host }
}

function isUserInfo(text: string): boolean {
  return USER_INFO.test(text) && !BAD_ESCAPE.test(text)
}

function parseHost(host: string, strict: boolean): Omit<GoUrl, 'scheme'> | undefined {
  if (host.startsWith('[')) return parseBracketed(host, strict)
  if (strict && (host.includes('[') || host.indexOf(':') !== host.lastIndexOf(':'))) return undefined
  const colon = host.lastIndexOf(':')
  if (colon !== -1 && !isOptionalPort(host.slice(colon))) return undefined
  const plain = unescapeHost(host)
  if (plain === undefined) return undefined
  const [, hostname = plain, port = ''] = /^(.*):(\d*)$/s.exec(plain) ?? []
  return { hostname, port }
}

function parseBracketed(host: string, strict: boolean): Omit<GoUrl, 'scheme'> | undefined {
  const end = host.lastIndexOf(']')
  if (end === -1 || !isOptionalPort(host.slice(end + 1))) return undefined
  const inside = host.slice(1, end)
  const zoneAt = inside.indexOf('%25')
  const address = unescapeHost(zoneAt === -1 ? inside : inside.slice(0, zoneAt))
  const zone = zoneAt === -1 ? '' : unescapeZone(inside.slice(zoneAt))
  if (address === undefined || zone === undefined || (strict && !isIPv6(address))) return undefined
  return { hostname: address + zone, port: host.slice(end + 2) }
}

function isOptionalPort(text: string): boolean {
  return text === '' || /^:\d*$/.test(text)
}

// In a host only bytes beyond ASCII, and the percent sign itself, may be escaped.
function unescapeHost(host: string): string | undefined {
  const escapes = host.match(/%..?/g) ?? []
  if (escapes.some(text => !/^%(?:25|[89A-Fa-f][0-9A-Fa-f])$/.test(text))) return undefined
  if (!HOST.test(host.replaceAll(/%../g, ''))) return undefined
  return decode(host)
}

function unescapeZone(zone: string): string | undefined {
  return BAD_ESCAPE.test(zone) ? undefined : decode(zone)
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
