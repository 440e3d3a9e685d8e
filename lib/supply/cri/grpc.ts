/**
 * gRPC over a unix socket, which is one HTTP/2 request with a length-prefixed protobuf message each way: too
 * little for a library.
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { KubestepError, reasonOf } from '../../base/errors.ts'

/** gRPC's status for a call that the server does not have. */
export const UNIMPLEMENTED = 12

/** The runtime refused or did not answer; `status` is gRPC's, -1 when there was no answer. */
export class CriError extends KubestepError {
  override readonly name: string = 'CriError'
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Opens a connection; it does not keep the process alive. Throws a CriError. */
export function openSession(socket: string): Promise<ClientHttp2Session> {
  const path = socket.replace(/^unix:\/\//, '')
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => connectSocket({ path }) })
    session.once('connect', () => {
      // Only a call that waits for its answer keeps the process alive: one that failed has to end.
      session.unref()
      resolve(session)
    })
    session.once('error', error =>
      reject(new CriError(`runtime: cannot connect to "${socket}": ${reasonOf(error)}; is the runtime running?`, -1)),
    )
    // Later errors come with each call.
    session.on('error', () => {})
  })
}

const FRAME_HEADER = 5

export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly message: Uint8Array
  readonly timeoutMs: number
  /** Metadata, as HTTP headers. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One call with one message each way. Throws a CriError. */
export function unary(
  session: ClientHttp2Session,
  socket: string,
  { path, message, timeoutMs, headers = {} }: GrpcCall,
): Promise<Uint8Array> {
  const frame = Buffer.alloc(FRAME_HEADER + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, FRAME_HEADER)
  return new Promise((resolve, reject) => {
    const fail = (reason: string, status: number): void =>
      reject(new CriError(`runtime: cannot call ${path.split('/').at(-1)} of "${socket}": ${reason}`, status))
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const timer = setTimeout(() => {
      stream.close()
      fail(`no answer within ${timeoutMs / 1000} s`, -1)
    }, timeoutMs)
    let status = 0
    let reason = ''
    const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] === undefined) return
      status = Number(headers['grpc-status'])
      reason = decodeURIComponent(String(headers['grpc-message'] ?? ''))
    }
    const chunks: Buffer[] = []
    stream.on('response', readStatus)
    stream.on('trailers', readStatus)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', error => fail(error.message, -1))
    stream.on('close', () => {
      clearTimeout(timer)
      const bytes = Buffer.concat(chunks)
      if (status !== 0) fail(reason, status)
      else if (bytes.length < FRAME_HEADER) fail('it closed the connection', -1)
      else resolve(bytes.subarray(FRAME_HEADER, FRAME_HEADER + bytes.readUInt32BE(1)))
    })
    stream.end(frame)
  })
}
