/** What kube-proxy and the agent leave besides chains and interfaces: tables of nftables, sets of addresses, virtual servers. */
import { existsSync } from 'node:fs'
import { $ } from '../command.ts'

interface Leftover {
  /** First word of its names. */
  readonly kind: string
  /** Where the kernel shows that it can have any; absent when only asking tells. */
  readonly evidence?: string
  readonly list: readonly string[]
  /** Names in the output of `list`, as the removing command takes them. */
  readonly names: (output: string) => string[]
  /** Those that kube-proxy made, where a name does not tell. */
  readonly ours?: (output: string, services: ReadonlySet<string>) => string[]
  readonly remove: (name: string) => readonly string[]
}

/**
 * Source: kube-proxy nftables/proxier.go (a table named kube-proxy per family), ipvs/ipset.go (sets named KUBE-), and
 * ipvs/proxier.go (v1.36). Servers go before the sets that rules use.
 */
export const LEFTOVERS: readonly Leftover[] = [
  {
    kind: 'table',
    list: ['nft', 'list', 'tables'],
    names: output =>
      linesOf(output).flatMap(line => /^table (ip6? kube-proxy|inet kubestep-policy)$/.exec(line)?.slice(1) ?? []),
    remove: name => ['nft', 'delete', 'table', ...name.split(' ')],
  },
  {
    kind: 'server',
    evidence: '/proc/net/ip_vs',
    list: ['ipvsadm', '--save', '--numeric'],
    names: output => virtualServers(output).map(({ name }) => name),
    ours: serviceServers,
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
      async ({ kind, list, names }) => names(await outputOf(list)).map(name => `${kind} ${name}`),
    ),
  )
  return found.flat()
}

/**
 * Removes kube-proxy's, but those in `kept`, of all kinds or of these. Rules that use a set have to be gone before. Gives
 * what stays all the same.
 */
export async function removeLeftovers(kept: readonly string[], kinds?: readonly string[]): Promise<string[]> {
  const left: string[] = []
  for (const leftover of LEFTOVERS.filter(({ kind }) => kinds?.includes(kind) ?? true)) {
    const { kind, remove } = leftover
    const services = leftover.ours === undefined ? new Set<string>() : await serviceAddresses()
    const present = async (): Promise<string[]> =>
      (await oursOf(leftover, services)).filter(name => !kept.includes(`${kind} ${name}`))
    for (const name of await present()) await $({ nothrow: true })`${remove(name)}`
    left.push(...(await present()).map(name => `${kind} ${name}`))
  }
  return left
}

async function oursOf({ evidence, list, names, ours }: Leftover, services: ReadonlySet<string>): Promise<string[]> {
  if (evidence !== undefined && !existsSync(evidence)) return []
  const output = await outputOf(list)
  return ours === undefined ? names(output) : ours(output, services)
}

interface VirtualServer {
  /** As ipvsadm takes it, e.g. `-t 10.96.0.1:443`. */
  readonly name: string
  readonly address: string
  readonly destinations: readonly string[]
}

function virtualServers(output: string): VirtualServer[] {
  const lines = linesOf(output)
  return lines.flatMap(line => {
    const name = /^-A (-[tuf] \S+)/.exec(line)?.[1]
    if (name === undefined) return []
    const destinations = lines.flatMap(other => {
      const [, server, destination] = /^-a (-[tuf] \S+) -r (\S+)/.exec(other) ?? []
      return server === name && destination !== undefined ? [destination] : []
    })
    const address = name
      .slice(3)
      .replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '')
    return [{ name, address, destinations }]
  })
}

/** The interface on which kube-proxy has the addresses of all Services in ipvs mode. Source: ipvs/proxier.go, DefaultDummyDevice. */
const SERVICE_LINK = 'kube-ipvs0'

async function serviceAddresses(): Promise<ReadonlySet<string>> {
  const { stdout } = await $({ nothrow: true })`ip -oneline address show dev ${SERVICE_LINK}`
  return new Set([...stdout.matchAll(/\binet6? ([0-9a-f.:]+)/g)].map(([, address = '']) => address))
}

/**
 * Virtual servers at addresses of Services, and those elsewhere (node ports) that lead to nothing but what a Service
 * leads to as well. kube-proxy takes all for its own; others may have some since.
 */
function serviceServers(output: string, services: ReadonlySet<string>): string[] {
  const servers = virtualServers(output)
  const isService = ({ address }: VirtualServer): boolean => services.has(address)
  const reached = new Set(servers.filter(isService).flatMap(({ destinations }) => destinations))
  const isNodePort = ({ destinations }: VirtualServer): boolean =>
    destinations.length > 0 && destinations.every(destination => reached.has(destination))
  return servers.filter(server => isService(server) || isNodePort(server)).map(({ name }) => name)
}

async function outputOf(command: readonly string[]): Promise<string> {
  const { exitCode, stdout } = await $({ nothrow: true })`${command}`
  return exitCode === 0 ? stdout : ''
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
