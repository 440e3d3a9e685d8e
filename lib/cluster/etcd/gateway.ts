/**
 * A client for the JSON gateway that every etcd serves beside gRPC on its client port, since 3.4 below /v3/.
 * 64-bit integers are text in its JSON, and what is empty or false is left out.
 */
import { once } from 'node:events'
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'

/** PEM text throughout; an external etcd may want none of it. */
export interface EtcdCredentials {
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

/** A member of etcd, as its client sees it. */
export interface Etcd {
  /** E.g. `https://127.0.0.1:2379`. */
  readonly endpoint: string
  /** One call, e.g. of `cluster/member/list`. Throws an EtcdError. */
  readonly ask: (call: string, body?: JsonObject, limitMs?: number) => Promise<JsonObject>
  /** The results of a call that answers in pieces. Throws an EtcdError, also between two pieces. */
  readonly stream: (call: string, body?: JsonObject) => AsyncGenerator<JsonObject>
  readonly close: () => void
}

/** Why etcd did not do it, where programs have to know. */
export type EtcdFault =
  | 'unreachable'
  | 'unhealthy'
  | 'no-leader'
  | 'too-many-learners'
  | 'not-in-sync'
  | 'not-a-learner'
  | 'no-member'
  | 'member-exists'
  | 'other'

/** etcd's own words for each. Source: etcd api/v3rpc/rpctypes/error.go (v3.4 to v3.6). */
const FAULTS: readonly (readonly [words: string, fault: EtcdFault])[] = [
  ['unhealthy cluster', 'unhealthy'],
  ['not enough started members', 'unhealthy'],
  ['no leader', 'no-leader'],
  ['too many learner', 'too-many-learners'],
  ['in sync with leader', 'not-in-sync'],
  ['can only promote a learner', 'not-a-learner'],
  ['member not found', 'no-member'],
  ['Peer URLs already exists', 'member-exists'],
  ['member ID already exist', 'member-exists'],
]

/** etcd did not answer, or refused. */
export class EtcdError extends KubestepError {
  override readonly name: string = 'EtcdError'
  readonly fault: EtcdFault

  constructor(message: string, fault: EtcdFault, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** How long one answer may take; kubeadm gives a dial the same (util/etcd/etcd.go, v1.36). */
const ANSWER_LIMIT_MS = 2_000

/** How long a stream may be silent. */
const SILENCE_LIMIT_MS = 30_000

/** Opens a client of one member; connections are made only when needed. */
export function openEtcd(endpoint: string, { ca, certificate, key }: EtcdCredentials): Etcd {
  const isPlain = endpoint.startsWith('http:')
  const agent = isPlain
    ? new PlainAgent({ keepAlive: true })
    : new Agent({ keepAlive: true, ...(ca !== undefined && { ca }), cert: certificate, key })
  const post = async (
    call: string,
    body: JsonObject,
    stop: AbortSignal,
    silenceMs: number,
  ): Promise<IncomingMessage> => {
    const sent = (isPlain ? plainRequest : request)(`${endpoint.replace(/\/$/, '')}/v3/${call}`, {
      method: 'POST',
      agent,
      signal: stop,
      headers: { 'content-type': 'application/json' },
      timeout: silenceMs,
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${silenceMs / 1000} s`)))
    sent.end(JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    // Whoever reads the answer hears of it too.
    sent.on('error', () => {})
    return response
  }
  const unreachable = (call: string, reason: string, cause: unknown): EtcdError =>
    new EtcdError(`etcd: cannot ask "${endpoint}" for ${call}: ${reason}`, 'unreachable', { cause })
  return {
    endpoint,
    ask: async (call, body = {}, limitMs = ANSWER_LIMIT_MS) => {
      const stop = AbortSignal.timeout(limitMs)
      let status: number | undefined
      let text = ''
      try {
        const response = await post(call, body, stop, limitMs)
        status = response.statusCode
        for await (const chunk of response.setEncoding('utf8')) text += chunk
      } catch (error) {
        throw unreachable(call, stop.aborted ? `no answer within ${limitMs / 1000} s` : reasonOf(error), error)
      }
      const answer = decoded(text)
      if (status !== 200 || answer === undefined) throw refused(endpoint, call, answer?.message ?? `status ${status}`)
      return answer
    },
    stream: async function* (call, body = {}) {
      const stop = new AbortController()
      try {
        const response = await post(call, body, stop.signal, SILENCE_LIMIT_MS)
        for await (const line of createInterface({ input: response.setEncoding('utf8') })) {
          const piece = decoded(line)
          if (isObject(piece?.result)) yield piece.result
          else throw refused(endpoint, call, messageOf(piece) ?? `status ${response.statusCode}`)
        }
      } catch (error) {
        throw error instanceof KubestepError ? error : unreachable(call, reasonOf(error), error)
      } finally {
        stop.abort()
      }
    },
    close: () => agent.destroy(),
  }
}

/**
 * A client of the first of these members that answers and sees a leader; all are asked at once.
 * Throws an EtcdError with what each of them said.
 */
export async function reachEtcd(endpoints: readonly string[], credentials: EtcdCredentials): Promise<Etcd> {
  const clients = endpoints.map(endpoint => openEtcd(endpoint, credentials))
  const looks = clients.map(async client => {
    const { leader = '0' } = await client.ask('maintenance/status')
    if (leader === '0') throw new EtcdError(`etcd: "${client.endpoint}" sees no leader`, 'no-leader')
    return client
  })
  try {
    const found = await Promise.any(looks)
    for (const client of clients) if (client !== found) client.close()
    return found
  } catch (error) {
    for (const client of clients) client.close()
    const reasons = error instanceof AggregateError ? error.errors : [error]
    const [first] = reasons
    throw new EtcdError(
      reasons.length > 0 ? reasons.map(reasonOf).join('\n') : 'etcd: cannot reach any member: none is known',
      first instanceof EtcdError ? first.fault : 'unreachable',
      { cause: error },
    )
  }
}

function decoded(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

// In a stream an error is an object of its own.
function messageOf(piece: JsonObject | undefined): Json | undefined {
  return isObject(piece?.error) ? piece.error.message : piece?.message
}

function refused(endpoint: string, call: string, message: Json): EtcdError {
  const text = String(message).replace(/^etcdserver: /, '')
  const fault = FAULTS.find(([words]) => text.includes(words))?.[1] ?? 'other'
  return new EtcdError(`etcd: cannot ask "${endpoint}" for ${call}: ${text}`, fault)
}
