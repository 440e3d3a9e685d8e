/** The hosts that components come from, played on this machine behind a proxy, with TLS and certificates of its own. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, request as requestHttp } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'

export interface Internet {
  /** For HTTPS_PROXY, with a user and a password. */
  readonly proxy: string
  /** File with the authority, for NODE_EXTRA_CA_CERTS. */
  readonly ca: string
  /** `host:port` of every connection through the proxy. */
  readonly connections: readonly string[]
  readonly close: () => void
}

/** Plays hosts by name: each is a plain server at `http://127.0.0.1:port`. Writes certificates into `folder`. */
export async function openInternet(folder: string, hosts: Readonly<Record<string, string>>): Promise<Internet> {
  const ca = join(folder, 'ca.crt')
  const key = join(folder, 'tls.key')
  const names = Object.keys(hosts).map(host => `DNS:${host}`)
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=tests',
    ].concat(['-keyout', key, '-out', ca, '-addext', `subjectAltName=${names.join(',')}`]),
    { stdio: 'ignore' },
  )
  const front = createTlsServer({ key: readFileSync(key), cert: readFileSync(ca) }, (request, response) => {
    const { host = '' } = request.headers
    const onward = requestHttp(`${hosts[host]}${request.url}`, { headers: request.headers }, answer => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    onward.end()
  })
  await new Promise<void>(resolve => front.listen(0, '127.0.0.1', resolve))
  const connections: string[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer()
  proxy.on('connect', (request, socket: Socket) => {
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('user:secret').toString('base64')}`) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    connections.push(request.url ?? '')
    const onward = connect((front.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => {})
    }
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  return {
    proxy: `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    ca,
    connections,
    close: () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      front.close()
      front.closeAllConnections()
    },
  }
}
