/**
 * Talks to a container runtime over its CRI socket: gRPC, which is one HTTP/2 request with a length-prefixed
 * protobuf message each way. No crictl, no gRPC library: the dozen calls needed are in messages.ts.
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { METHODS, type Method, type MethodName } from './messages.ts'
import { decode, encode } from './protobuf.ts'

export type CriVersion = 'v1' | 'v1alpha2'

export interface Cri {
  /** E.g. `unix:///run/containerd/containerd.sock`. */
  readonly socket: string
  readonly version: CriVersion
  /** One call. Throws a CriError. */
  readonly call: (method: MethodName, request?: JsonObject, timeoutMs?: number) => Promise<JsonObject>
  readonly close: () => void
}

/** gRPC's status for a call that the server does not have. */
export const UNIMPLEMENTED = 12
const DEFAULT_TIMEOUT_MS = 10_000

/** The runtime refused or did not answer; `status` is gRPC's, -1 when there was no answer. */
export class CriError extends KubestepError {
  override readonly name: string = 'CriError'
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/**
 * Opens a socket and finds out which CRI version it serves. Throws a CriError when it serves none, or does not say so
 * in time.
 */
export async function openCri(socket: string, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Cri> {
  const session = await openSession(socket)
  for (const version of ['v1', 'v1alpha2'] as const) {
    const cri = criOf(socket, session, version)
    try {
      await cri.call('Version', { version: '0.1.0' }, timeoutMs)
      return cri
    } catch (error) {
      if (!(error instanceof CriError && error.status === UNIMPLEMENTED)) {
        session.close()
        throw error
      }
    }
  }
  session.close()
  throw new CriError(
    `runtime: cannot use "${socket}": it does not serve CRI; enable the cri plugin (disabled_plugins in containerd's configuration) or use --runtime private`,
    UNIMPLEMENTED,
  )
}

function criOf(socket: string, opened: ClientHttp2Session, version: CriVersion): Cri {
  let session = opened
  let isClosed = false
  return {
    socket,
    version,
    call: async (name, request = {}, timeoutMs = DEFAULT_TIMEOUT_MS) => {
      const method: Method = METHODS[name]
      const path = `/runtime.${version}.${method.service}/${name}`
      // A runtime that ended and was started again has not kept the connection.
      if (!isClosed && (session.destroyed || session.closed)) session = await openSession(socket)
      const answer = await unary(session, socket, path, encode(method.request, request), timeoutMs)
      return decode(method.response, answer)
    },
    close: () => {
      isClosed = true
      session.close()
    },
  }
}

function openSession(socket: string): Promise<ClientHttp2Session> {
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

function unary(
  session: ClientHttp2Session,
  socket: string,
  path: string,
  message: Uint8Array,
  timeoutMs: number,
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
