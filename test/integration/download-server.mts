/** A download site on 127.0.0.1 for the tests, which misbehaves as it is told to. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers one request in its own way. */
export type Fault = (request: IncomingMessage, response: ServerResponse, content: Buffer) => void

export interface Site {
  readonly url: string
  /** Everything asked for, as `/path` or `/path bytes=5-`. */
  readonly requests: readonly string[]
  /** Lets the next requests for a path go wrong, in this order. */
  readonly fail: (path: string, ...faults: readonly Fault[]) => void
  readonly close: () => Promise<void>
}

/** Serves contents by path, with ranges. `absent` may answer what is not among them. */
export async function openSite(contents: ReadonlyMap<string, Buffer>, absent?: Fault): Promise<Site> {
  const requests: string[] = []
  const faults = new Map<string, Fault[]>()
  const server: Server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(request.headers.range === undefined ? path : `${path} ${request.headers.range}`)
    const content = contents.get(path)
    const fault = faults.get(path)?.shift()
    if (fault !== undefined) fault(request, response, content ?? Buffer.alloc(0))
    else if (content !== undefined) serve(request, response, content)
    else if (absent !== undefined) absent(request, response, Buffer.alloc(0))
    else status(404)(request, response, Buffer.alloc(0))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: (path, ...list) => faults.set(path, [...(faults.get(path) ?? []), ...list]),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** As it should be. */
export const serve: Fault = (request, response, content) => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined) {
    response.writeHead(200, { 'content-length': content.length }).end(content)
    return
  }
  const start = Number(from)
  const end = to === '' ? content.length - 1 : Number(to)
  if (start >= content.length) response.writeHead(416).end()
  else {
    const part = content.subarray(start, end + 1)
    response
      .writeHead(206, { 'content-length': part.length, 'content-range': `bytes ${start}-${end}/${content.length}` })
      .end(part)
  }
}

export function status(code: number, headers: Record<string, string> = {}): Fault {
  return (_, response) => {
    response.writeHead(code, headers).end('no')
  }
}

/** The first bytes of the right answer, then the connection breaks. */
export function breakAfter(bytes: number): Fault {
  return (request, response, content) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const rest = content.subarray(start)
    const range = start === 0 ? {} : { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': rest.length, ...range })
    response.write(rest.subarray(0, bytes), () => setTimeout(() => request.socket.destroy(), 20))
  }
}

/** The connection breaks before any answer. */
export const hangUp: Fault = request => {
  request.socket.destroy()
}

/** Never an answer. */
export const silence: Fault = () => {}

/** The first bytes of the right answer, then nothing more. */
export function stall(bytes: number): Fault {
  return (_, response, content) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, bytes))
  }
}

/** A byte now and then, for ever. */
export const drip: Fault = (request, response, content) => {
  response.writeHead(200, { 'content-length': content.length })
  const timer = setInterval(() => response.write('x'), 20)
  request.socket.on('close', () => clearInterval(timer))
}

/** The whole of something else. */
export function instead(text: string | Buffer, type = 'application/octet-stream'): Fault {
  return (_, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(text), 'content-type': type }).end(text)
  }
}

/** The whole file, whatever range was asked for. */
export const ignoreRange: Fault = (_, response, content) => {
  response.writeHead(200, { 'content-length': content.length }).end(content)
}

/** SHA-256 in hex. */
export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** A file and its checksum, as dl.k8s.io has them. */
export function withChecksum(path: string, content: Buffer): readonly (readonly [string, Buffer])[] {
  return [
    [path, content],
    [`${path}.sha256`, Buffer.from(sha256(content))],
  ]
}
