/** URLs as Go's net/url takes them apart, as far as configurations need it. Source: Go 1.26 net/url parse. */

/** The parts of a URL. `scheme` is empty when there is none. */
export interface UrlParts {
  readonly scheme: string
  readonly path: string
}

const HOST_CHARACTERS = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]|%25|%[89A-Fa-f][0-9A-Fa-f])*$/u

/** The parts of a URL, or why it is none. */
export function parseUrl(text: string): UrlParts | { readonly reason: string } {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return { reason: 'it has a control character' }
  const [withoutFragment = '', fragment = ''] = text.split(/#(.*)/s)
  const [beforeQuery = ''] = withoutFragment.split('?')
  if (beforeQuery.startsWith(':')) return { reason: 'the scheme is missing before the colon' }
  const [, scheme = '', afterScheme = beforeQuery] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(beforeQuery) ?? []
  const parsed = parseRest(scheme.toLowerCase(), afterScheme)
  return 'reason' in parsed || hasValidEscapes(fragment) ? parsed : { reason: 'it has an incomplete % escape' }
}

function parseRest(scheme: string, rest: string): UrlParts | { readonly reason: string } {
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { scheme, path: '' }
    if ((rest.split('/')[0] ?? '').includes(':')) return { reason: 'the part before the first slash has a colon' }
  }
  let path = rest
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const [, authority = '', after = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? []
    const reason = hostFault(authority.slice(authority.lastIndexOf('@') + 1))
    if (reason !== undefined) return { reason }
    path = after
  }
  return hasValidEscapes(path) ? { scheme, path: decode(path) } : { reason: 'it has an incomplete % escape' }
}

function hostFault(host: string): string | undefined {
  const bracketed = /^\[[^\]]*\](.*)$/s.exec(host)
  if (host.startsWith('[') && bracketed === null) return "the host's ] is missing"
  const [name = '', port] = bracketed === null ? split(host) : ['', bracketed[1]?.replace(/^:/, '')]
  if (bracketed?.[1] !== undefined && !/^(?::\d*)?$/.test(bracketed[1])) return 'the port is no number'
  if (name.includes(':')) return 'an IPv6 address stands in brackets'
  if (port !== undefined && !/^\d*$/.test(port)) return 'the port is no number'
  return HOST_CHARACTERS.test(host) ? undefined : 'the host has a character that hosts cannot have'
}

function split(host: string): readonly [string, string?] {
  const colon = host.lastIndexOf(':')
  return colon === -1 ? [host] : [host.slice(0, colon), host.slice(colon + 1)]
}

function hasValidEscapes(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
