/** Talks to a container runtime over its CRI socket. No crictl: the dozen calls needed are in messages.ts. */
import type { ClientHttp2Session } from 'node:http2'
import type { JsonObject } from '../../base/json.ts'
import { CriError, openSession, UNIMPLEMENTED, unary } from './grpc.ts'
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

const DEFAULT_TIMEOUT_MS = 10_000

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
      const answer = await unary(session, socket, { path, message: encode(method.request, request), timeoutMs })
      return decode(method.response, answer)
    },
    close: () => {
      isClosed = true
      session.close()
    },
  }
}
