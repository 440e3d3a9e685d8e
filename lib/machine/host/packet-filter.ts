/** What the kernel's packet filter does with packets that no rule speaks of. Pure parsing. */

/** A rule without a condition ends a chain like a policy. Source: the output of `iptables -S INPUT`. */
const LAST_WORD = /^-A INPUT(?: -m comment --comment (?:"[^"]*"|\S+))? -j (DROP|REJECT)(?: --reject-with \S+)?$/m

/** The policy of INPUT, or what its last rule does with the rest; undefined when the text does not say. */
export function inputPolicy(text: string): string | undefined {
  const policy = /^-P INPUT (\S+)$/m.exec(text)?.[1]
  return policy === 'ACCEPT' ? (LAST_WORD.exec(text)?.[1] ?? policy) : policy
}

/** Of these our rules, or firewalld's own settings, take care. */
const KNOWN: readonly RegExp[] = [/^(ip|ip6) filter INPUT$/, /^inet firewalld /]

/** Chains at the input hook with policy drop in the output of `nft list chains`, as `family table chain`. */
export function closedChains(text: string): string[] {
  let [table, chain] = ['', '']
  return text.split('\n').flatMap(line => {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain
    const name = `${table} ${chain}`
    const isClosed = /hook input .*policy drop;/.test(line) && /^(ip|ip6|inet) /.test(name)
    return isClosed && !KNOWN.some(pattern => pattern.test(name)) ? [name] : []
  })
}
