/** UDP ports that lead to others: datagrams there and back, for several senders, on real sockets. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { forwardDatagrams, listenDatagrams } from '../../lib/cluster/api-balancer/datagrams.ts'
import { refuseTakenPorts } from '../../lib/phases/agent/port-forwards.ts'

const LOOPBACK = '127.0.0.1'

async function freePort(): Promise<number> {
  const socket = await listenDatagrams({ address: LOOPBACK, port: 0 })
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

async function answer(socket: Socket, port: number, text: string): Promise<string> {
  const coming = once(socket, 'message')
  socket.send(text, port, LOOPBACK)
  const [data] = await coming
  return String(data)
}

for (const address of [LOOPBACK, undefined]) {
  test(`each sender to ${address ?? 'any address'} gets its own answers`, async () => {
    const node = await listenDatagrams({ address: LOOPBACK, port: 0 })
    node.on('message', (data, from) => node.send(`${data} back`, from.port, from.address))
    const port = await freePort()
    const ending = new AbortController()
    const listens = { port, to: { host: LOOPBACK, port: node.address().port }, ...(address && { address }) }
    const running = forwardDatagrams(listens, ending.signal)
    const senders = [createSocket('udp4'), createSocket('udp4')]
    try {
      // It listens from the next turn on.
      await assert.rejects(refuseTakenPorts([{ protocol: 'UDP', ...listens }]), /cannot lead UDP port \d+ .*to a node/)
      for (const text of ['a', 'b']) {
        const answers = await Promise.all(senders.map((socket, index) => answer(socket, port, `${text}${index}`)))
        assert.deepEqual(answers, [`${text}0 back`, `${text}1 back`])
      }
    } finally {
      for (const socket of [...senders, node]) socket.close()
      ending.abort()
      await running
    }
  })
}

test('a port that nobody has is taken', async () => {
  await refuseTakenPorts([{ protocol: 'UDP', address: LOOPBACK, port: await freePort(), to: { host: '', port: 1 } }])
})

test('streams are not its business', async () => {
  await refuseTakenPorts([{ address: '192.0.2.1', port: 1, to: { host: '', port: 1 } }])
})
