/** TCP ports that somebody listens on, from the kernel's tables, and who that is. */
import { formatAddress } from '../../base/address.ts'
import type { HostSource } from './host-source.ts'

export interface Listener {
  readonly port: number
  /** As people write it: `0.0.0.0`, `192.0.2.7`, `::`, `::1`. */
  readonly address: string
  /** Of the socket; what a process's file descriptors name. */
  readonly inode: string
}

/** Who holds a listening socket. */
export interface PortHolder extends Listener {
  /** Of the first process that has it open; undefined when none of them may be looked at. */
  readonly process?: { readonly pid: number; readonly name: string }
}

/** TCP_LISTEN of the kernel's net/tcp_states.h, as the tables have it. */
const LISTENING = '0A'

/**
 * The listening sockets in the text of /proc/net/tcp or /proc/net/tcp6. Source: proc_net_tcp(5): `sl local_address
 * rem_address st ... inode`, addresses as 32-bit words in the host's (little-endian) order.
 */
export function parseListeners(text: string): Listener[] {
  return text
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === LISTENING)
    .map(fields => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':')
      return { port: Number.parseInt(port, 16), address: addressText(address), inode: fields[9] ?? '' }
    })
}

/** Everything that listens on one of the given ports, on any address, with its process where that can be told. */
export function portHolders(
  source: Pick<HostSource, 'read' | 'list' | 'link'>,
  ports: readonly number[],
): PortHolder[] {
  const found = ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap(path => parseListeners(source.read(path) ?? ''))
    .filter(({ port }) => ports.includes(port))
  if (found.length === 0) return []
  const owners = ownersOf(source, new Set(found.map(({ inode }) => inode)))
  return found.map(listener => {
    const owner = owners.get(listener.inode)
    return { ...listener, ...(owner !== undefined && { process: owner }) }
  })
}

/** In words: `etcd (process 812) on 127.0.0.1`. */
export function holderText({ address, process: owner }: PortHolder): string {
  const who = owner === undefined ? 'a process' : `${owner.name} (process ${owner.pid})`
  return `${who} on ${address === '0.0.0.0' || address === '::' ? 'every address' : address}`
}

/** The lowest pid that has each socket open: a server before the workers that it started. */
function ownersOf(
  source: Pick<HostSource, 'read' | 'list' | 'link'>,
  inodes: ReadonlySet<string>,
): ReadonlyMap<string, { pid: number; name: string }> {
  const owners = new Map<string, { pid: number; name: string }>()
  const pids = (source.list('/proc') ?? [])
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
  for (const pid of pids) {
    for (const descriptor of source.list(`/proc/${pid}/fd`) ?? []) {
      const inode = /^socket:\[(\d+)\]$/.exec(source.link(`/proc/${pid}/fd/${descriptor}`) ?? '')?.[1]
      if (inode === undefined || !inodes.has(inode) || owners.has(inode)) continue
      owners.set(inode, { pid, name: (source.read(`/proc/${pid}/comm`) ?? 'a process').trim() })
    }
    if (owners.size === inodes.size) break
  }
  return owners
}

/** `0100007F` is 127.0.0.1; IPv6 has four such words, and holds IPv4 where one socket serves both. */
function addressText(hex: string): string {
  const words = (hex.match(/.{8}/g) ?? []).map(word => (word.match(/../g) ?? []).reverse().join(''))
  const value = BigInt(`0x${words.join('') || '0'}`)
  if (words.length > 1 && value >> 32n !== 0xffffn) return formatAddress({ family: 6, value })
  return formatAddress({ family: 4, value: value & 0xffffffffn })
}
