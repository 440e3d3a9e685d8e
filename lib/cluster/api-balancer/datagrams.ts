/** UDP ports that lead to others: who sends has a socket of its own towards the other side, so that answers find it. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Backend } from './backends.ts'

/** How long answers may come after the last datagram. Source: Docker's UDP proxy, UDPConnTrackTimeout. */
const IDLE_MS = 90_000

/** So many senders at once; the one that has been silent for longest makes room. */
const MOST_SENDERS = 1_000

export interface DatagramPort {
  /** Absent: every address. */
  readonly address?: string
  readonly port: number
}

/** Leads a port to another one until it is ended. Throws when it cannot listen. */
export async function forwardDatagrams(
  { to, ...own }: DatagramPort & { readonly to: Backend },
  signal: AbortSignal,
): Promise<void> {
  const server = await listenDatagrams(own)
  const senders = new Map<string, Socket>()
  server.on('message', (data, from) => {
    const name = `${from.address} ${from.port}`
    const known = senders.get(name)
    const socket = known ?? towards(to, answer => server.send(answer, from.port, from.address, ignore))
    if (known === undefined) socket.on('close', () => senders.get(name) === socket && senders.delete(name))
    // The last one to send is the last in the map.
    senders.delete(name)
    senders.set(name, socket)
    const [oldest] = senders
    if (oldest !== undefined && senders.size > MOST_SENDERS) {
      senders.delete(oldest[0])
      oldest[1].close()
    }
    socket.send(data, to.port, to.host, ignore)
  })
  signal.addEventListener('abort', () => server.close(), { once: true })
  try {
    await once(server, 'close')
  } finally {
    for (const socket of senders.values()) socket.close()
  }
}

/** Listens, on both families where the machine has them. Throws what the system says. */
export async function listenDatagrams({ address, port }: DatagramPort): Promise<Socket> {
  try {
    return await bound(address?.includes('.') ? 'udp4' : 'udp6', port, address)
  } catch (error) {
    const isLacking = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes((error as NodeJS.ErrnoException).code ?? '')
    if (address !== undefined || !isLacking) throw error
    return bound('udp4', port)
  }
}

async function bound(type: 'udp4' | 'udp6', port: number, address?: string): Promise<Socket> {
  const socket = createSocket(type)
  try {
    socket.bind(port, address)
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/** A socket that is heard by one side alone, and closes when nothing has come or gone for a while. */
function towards({ host, port }: Backend, onAnswer: (data: Buffer) => void): Socket {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const idle = setTimeout(() => socket.close(), IDLE_MS)
  socket.on('message', (data, from) => {
    if (from.address !== host || from.port !== port) return
    idle.refresh()
    onAnswer(data)
  })
  socket.on('error', ignore)
  socket.on('close', () => clearTimeout(idle))
  return socket
}

// A datagram may be lost.
function ignore(): void {}
