/** The balancer before real TLS servers: they answer in turn, one goes, one is frozen, and clients reach those that are left. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, createServer as serveTls } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../lib/cluster/api-balancer/backends.ts'
import { balance } from '../../lib/cluster/api-balancer/balancer.ts'
import { initConfig, issue, PKI } from '../pki.ts'

const { files } = await issue(initConfig(), {}, { certificates: ['ca', 'apiserver'], kubeconfigs: [], now: new Date() })
const textOf = (name: string): string => String(files.find(({ path }) => path === `${PKI}/${name}`)?.content)
const identity = { cert: textOf('apiserver.crt'), key: textOf('apiserver.key') }

interface Served extends Backend {
  readonly server: Server
}

async function listening(server: Server): Promise<Served> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** One that says its name, and is ready. */
const api = (name: string, status = 200): Promise<Served> =>
  listening(serveTls(identity, (asking, answer) => answer.writeHead(asking.url === '/readyz' ? status : 200).end(name)))

/** What a server looks like whose processes are frozen: the kernel takes connections, and nobody answers. */
const frozen = (): Promise<Served> => listening(createServer(() => {}))

async function freePort(): Promise<number> {
  const { server, port } = await listening(createServer())
  server.close()
  return port
}

/** The name of who answers, by a connection of its own; '' when nobody does. */
function ask(port: number): Promise<string> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port, path: '/', ca: textOf('ca.crt'), servername: '10.0.0.5', timeout: 4_000 }
    const asking = request({ ...options, agent: false, checkServerIdentity: () => undefined }, answer => {
      answer.setEncoding('utf8')
      answer.on('data', resolve)
    })
    asking.on('timeout', () => asking.destroy())
    asking.on('error', () => resolve(''))
    asking.end()
  })
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return
    await sleep(50)
  }
  assert.fail(`never: ${what}`)
}

async function balanced(
  backends: readonly Backend[],
  body: (port: number, said: string[]) => Promise<void>,
): Promise<void> {
  const end = new AbortController()
  const port = await freePort()
  const said: string[] = []
  const running = balance({ port, backends: () => backends, say: line => said.push(line), signal: end.signal })
  try {
    await until('somebody answers', async () => (await ask(port)) !== '')
    await body(port, said)
  } finally {
    end.abort()
    await running
  }
}

function stop({ server }: Served): void {
  if ('closeAllConnections' in server) (server as { closeAllConnections: () => void }).closeAllConnections()
  server.close()
}

test('connections go to all of them in turn, and when one goes to those that are left', async () => {
  const servers = await Promise.all(['a', 'b', 'c'].map(name => api(name)))
  await balanced(servers, async port => {
    const seen = new Set<string>()
    await until('all three answer', async () => seen.add(await ask(port)).size === 3)
    const [first, ...others] = servers
    if (first !== undefined) stop(first)
    for (let tries = 0; tries < 6; tries++) assert.match(await ask(port), /^[bc]$/)
    for (const other of others) stop(other)
    assert.equal(await ask(port), '')
  })
})

test('one that is frozen gets no connection, and those that it had are cut', async () => {
  const [good, stuck] = await Promise.all([api('a'), frozen()])
  await balanced([good, stuck], async (port, said) => {
    const { connect } = await import('node:net')
    const waiting: Socket[] = [0, 1].map(() => connect({ host: '127.0.0.1', port }))
    const closed = waiting.map(socket => once(socket, 'close'))
    for (const socket of waiting) socket.on('error', () => {})
    // One of the two hangs at the frozen server.
    await Promise.race(closed)
    assert.ok(said.some(line => line === `127.0.0.1:${stuck.port} is not ready`))
    for (let tries = 0; tries < 4; tries++) assert.equal(await ask(port), 'a')
    for (const socket of waiting) socket.destroy()
  })
  for (const served of [good, stuck]) stop(served)
})

test('where none is ready one that answers will do', async () => {
  const server = await api('a', 500)
  await balanced([server], async (port, said) => {
    await until('it is known not to be ready', () => said.length > 0)
    assert.equal(await ask(port), 'a')
  })
  stop(server)
})

test('a port that is taken is said', async () => {
  const { port, server } = await listening(createServer())
  const free = new AbortController()
  const running = balance({ port, backends: () => [], say: () => {}, signal: free.signal })
  await assert.rejects(running, /EADDRINUSE/)
  free.abort()
  server.close()
})
