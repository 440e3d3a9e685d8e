/**
 * A balancer before API servers: bytes go through as they come, so that TLS is between client and server, and each
 * server is asked all the time whether it is ready.
 */
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { asked, type Backend, type BackendState, candidates, isSame, knownStates, lost } from './backends.ts'

export interface Balancer {
  readonly port: number
  /** Looked at before each round of questions: control planes come and go. */
  readonly backends: () => readonly Backend[]
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** A control plane that fails is noticed well within five seconds, and one that is slow is none. */
const ASK_EVERY_MS = 500
const ANSWER_LIMIT_MS = 1_000

/** How long a connection may take: what is cut off does not refuse it. */
const CONNECT_LIMIT_MS = 1_000

/** Connections that lie idle are looked after by the kernel. */
const KEEP_ALIVE_MS = 15_000

/** Runs until it is ended. Throws when it cannot listen. */
export async function balance({ port, backends, say, signal }: Balancer): Promise<void> {
  let states: readonly BackendState[] = knownStates(backends(), [])
  let turn = 0
  const open = new Map<Socket, Backend>()
  const server = createServer({ pauseOnConnect: true }, client => {
    turn += 1
    void attach(client, candidates(states, turn), open)
  })
  // Who asks whether it is ready sends and gets nothing that matters: clients look at the certificate themselves.
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  const failed = new Promise<never>((_resolve, reject) => server.once('error', reject))
  failed.catch(() => {})
  server.listen(port)
  try {
    while (!signal.aborted) {
      const known = knownStates(backends(), states)
      states = known
      await Promise.race([
        failed,
        Promise.all(
          known.map(async ({ host, port, misses }) => {
            const backend = { host, port }
            const isReady = await answers(backend, agent)
            states = asked(states, backend, isReady)
            if (isReady !== (misses === 0)) say(`${host}:${port} is ${isReady ? 'ready' : 'not ready'}`)
            for (const gone of lost(states)) drop(open, gone)
          }),
        ),
      ])
      await Promise.race([failed, sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {})])
    }
  } finally {
    server.close()
    agent.destroy()
    for (const socket of open.keys()) socket.destroy()
  }
}

/** Whether an API server is ready. Who may not ask has been answered all the same. */
function answers({ host, port }: Backend, agent: Agent): Promise<boolean> {
  return new Promise(resolve => {
    const asking = request({ host, port, agent, path: '/readyz', timeout: ANSWER_LIMIT_MS }, response => {
      response.resume()
      const { statusCode = 500 } = response
      resolve(statusCode < 500)
    })
    const limit = setTimeout(() => asking.destroy(new Error('no answer')), ANSWER_LIMIT_MS)
    asking.on('error', () => resolve(false))
    asking.on('close', () => {
      clearTimeout(limit)
      resolve(false)
    })
    asking.end()
  })
}

/** Leads a port to another one, as it is, until it is ended. Throws when it cannot listen. */
export async function forward(
  { address, port, to }: { readonly address?: string; readonly port: number; readonly to: Backend },
  signal: AbortSignal,
): Promise<void> {
  const server = createServer({ pauseOnConnect: true }, client => void attach(client, [to], new Map()))
  server.listen({ port, signal, ...(address !== undefined && { host: address }) })
  await once(server, 'close')
}

/** Connects a client with the first that takes it. */
async function attach(client: Socket, backends: readonly Backend[], open: Map<Socket, Backend>): Promise<void> {
  client.on('error', () => client.destroy())
  client.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
  for (const backend of backends) {
    const server = await dial(backend)
    if (server === undefined) continue
    if (client.destroyed) {
      server.destroy()
      return
    }
    open.set(server, backend)
    server.on('error', () => server.destroy())
    server.on('close', () => {
      open.delete(server)
      client.destroy()
    })
    client.on('close', () => server.destroy())
    client.pipe(server)
    server.pipe(client)
    return
  }
  client.destroy()
}

function dial({ host, port }: Backend): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
    const fail = (): void => {
      socket.destroy()
      resolve(undefined)
    }
    socket.setTimeout(CONNECT_LIMIT_MS, fail)
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

function drop(open: ReadonlyMap<Socket, Backend>, gone: Backend): void {
  for (const [socket, backend] of open) if (isSame(backend, gone)) socket.destroy()
}
