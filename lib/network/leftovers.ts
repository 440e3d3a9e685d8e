/** What kube-proxy leaves besides chains and interfaces: tables of nftables, sets of addresses, virtual servers. */
import { existsSync } from 'node:fs'
import { type CommandResult, run } from '../command.ts'

interface Leftover {
  /** First word of its names. */
  readonly kind: string
  /** Where the kernel shows that it can have any; absent when only asking tells. */
  readonly evidence?: string
  readonly list: readonly string[]
  /** Names in the output of `list`, as the removing command takes them. */
  readonly names: (output: string) => string[]
  readonly remove: (name: string) => readonly string[]
}

/**
 * Source: kube-proxy nftables/proxier.go (a table named kube-proxy per family), ipvs/ipset.go (sets named KUBE-), and
 * ipvs/proxier.go, which takes every virtual server for its own (v1.36). Servers go before the sets that rules use.
 */
export const LEFTOVERS: readonly Leftover[] = [
  {
    kind: 'table',
    list: ['nft', 'list', 'tables'],
    names: output => linesOf(output).flatMap(line => /^table (ip6? kube-proxy)$/.exec(line)?.slice(1) ?? []),
    remove: name => ['nft', 'delete', 'table', ...name.split(' ')],
  },
  {
    kind: 'server',
    evidence: '/proc/net/ip_vs',
    list: ['ipvsadm', '--save', '--numeric'],
    names: output => linesOf(output).flatMap(line => /^-A (-[tuf] \S+)/.exec(line)?.slice(1) ?? []),
    remove: name => ['ipvsadm', '--delete-service', ...name.split(' ')],
  },
  {
    kind: 'set',
    list: ['ipset', 'list', '-name'],
    names: output => linesOf(output).filter(name => name.startsWith('KUBE-')),
    remove: name => ['ipset', 'destroy', name],
  },
]

/** All that is there now, as `kind name`. What the machine has no program for cannot be seen. */
export async function presentLeftovers(): Promise<string[]> {
  const found = await Promise.all(
    LEFTOVERS.filter(({ evidence }) => evidence === undefined || existsSync(evidence)).map(
      async ({ kind, list, names }) => names(outputOf(await run(list))).map(name => `${kind} ${name}`),
    ),
  )
  return found.flat()
}

/** Removes all but those in `kept`. Rules that use a set have to be gone before. */
export async function removeLeftovers(kept: readonly string[]): Promise<void> {
  for (const name of (await presentLeftovers()).filter(other => !kept.includes(other))) {
    const leftover = LEFTOVERS.find(({ kind }) => name.startsWith(`${kind} `))
    if (leftover !== undefined) await run(leftover.remove(name.slice(leftover.kind.length + 1)))
  }
}

function outputOf({ exitCode, stdout }: CommandResult): string {
  return exitCode === 0 ? stdout : ''
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
