/** /etc/hosts. Pure parsing. */

/** Addresses that the file gives a name, in order. Source: hosts(5). */
export function addressesOf(text: string, name: string): string[] {
  return text.split('\n').flatMap(line => {
    const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    const wanted = name.toLowerCase()
    return address !== undefined && names.some(other => other.toLowerCase() === wanted) ? [address] : []
  })
}

/** A line that gives names an address. */
export function hostsLine(address: string, names: readonly string[]): string {
  return `${address}\t${names.join(' ')}\t# kubestep`
}
