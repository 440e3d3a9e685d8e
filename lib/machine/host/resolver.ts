/** /etc/resolv.conf. Pure parsing. */

/** Addresses of its name servers, in order. Source: resolv.conf(5). */
export function nameServers(text: string): string[] {
  return text.split('\n').flatMap(line => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
}

/** Whether the host's own name is found without a server. Source: nss-myhostname(8), nss-resolve(8), nsswitch.conf(5). */
export function knowsOwnName(nsswitch: string): boolean {
  return /^\s*hosts:.*\b(myhostname|resolve)\b/m.test(nsswitch)
}
