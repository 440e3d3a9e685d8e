/** What a cluster says of itself to everybody: the ConfigMap cluster-info, read before anybody is trusted. */
import { lookup } from 'node:dns'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { SIGNATURE_PREFIX } from '../../kubeadm/credentials/cluster-info-signature.ts'
import { failedChecks } from './failed-checks.ts'
import { connectionError, InfoError, type InfoFault, STRANGE } from './info-error.ts'

export interface ClusterInfo {
  /** A kubeconfig with the server and its CA. */
  readonly kubeconfig: string
  /** Signatures of it by token id. */
  readonly signatures: Readonly<Record<string, string>>
  /** The server's clock, where it tells. */
  readonly date?: Date
}

export interface Question {
  /** `https://host:port`. */
  readonly server: string
  /** PEM of the CAs to trust; without it those that everybody trusts. */
  readonly ca?: string
  /** Whoever answers is believed. */
  readonly believesAll?: boolean
  /** Who asks; nobody when left out. */
  readonly token?: string
  readonly certificate?: string
  readonly key?: string
  /** What it has said of its clock before. */
  readonly date?: Date | undefined
  /** How long the answer may take. */
  readonly limitMs?: number
}

const PATH = '/api/v1/namespaces/kube-public/configmaps/cluster-info'

/** etcd chooses another leader in half of that. */
const LIMIT_MS = 5_000

/** An answer is a few KB; whoever sends more is no API server. */
const MOST_BYTES = 1_000_000

const POLL_MS = 500

/** How a server is waited for that is about to come up. */
export interface Patience {
  /** From the first question to the last but one. */
  readonly limitMs: number
  /** Is told once why it is waited. */
  readonly tell: (reason: string) => void
}

/** Reads it when the server is there. Throws an InfoError that says what is wrong. */
export async function awaitClusterInfo(question: Question, { limitMs, tell }: Patience): Promise<ClusterInfo> {
  const start = Date.now()
  for (let tries = 0; ; tries++) {
    try {
      return await readClusterInfo(question)
    } catch (error) {
      const isComing = error instanceof InfoError && error.fault === 'unreachable'
      if (!isComing || Date.now() - start + POLL_MS > limitMs) throw error
      if (tries === 0) tell(error.message)
      await sleep(POLL_MS)
    }
  }
}

/** A key that holds one; what else a stranger writes there is shown to nobody. */
const SIGNATURE = new RegExp(`^${SIGNATURE_PREFIX}[a-z0-9]{6}$`)

/** Reads it. Throws an InfoError that says what is wrong. */
export async function readClusterInfo(question: Question): Promise<ClusterInfo> {
  const { server, ca, believesAll, token, certificate, key, date: before, limitMs = LIMIT_MS } = question
  const stop = AbortSignal.timeout(limitMs)
  let isResolving = false
  let isConnected = false
  let response: IncomingMessage
  let text = ''
  try {
    const call = request(`${server}${PATH}`, {
      agent: false,
      signal: stop,
      lookup: (name, options, answer) => {
        isResolving = true
        lookup(name, options, (...found) => {
          isResolving = false
          answer(...found)
        })
      },
      ...(believesAll && { rejectUnauthorized: false }),
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate, key }),
      headers: { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    })
    call.on('socket', socket => socket.once('secureConnect', () => (isConnected = true)))
    call.end()
    ;[response] = (await once(call, 'response')) as [IncomingMessage]
    call.on('error', () => {})
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > MOST_BYTES) throw new Error('it sends more than an API server would')
    }
  } catch (error) {
    if (stop.aborted && isConnected) throw await silentServer(server, limitMs, error)
    const late = stop.aborted ? (isResolving ? 'name' : 'server') : undefined
    throw connectionError(error, { server, limitMs, late, hasCa: ca !== undefined, date: before })
  }
  const told = new Date(response.headers.date ?? '')
  const date = Number.isNaN(told.getTime()) ? undefined : told
  const object = decoded(text)
  const data = isObject(object?.data) ? object.data : {}
  if (response.statusCode !== 200 || typeof data.kubeconfig !== 'string') throw answerError(server, response, object)
  const signatures = Object.entries(data).flatMap(([name, value]) =>
    SIGNATURE.test(name) && value ? [[name.slice(SIGNATURE_PREFIX.length), String(value)]] : [],
  )
  return {
    kubeconfig: data.kubeconfig,
    signatures: Object.fromEntries(signatures),
    ...(date !== undefined && { date }),
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

/** The error for an answer that is not cluster-info. */
function answerError(server: string, { statusCode = 0, headers }: IncomingMessage, object?: JsonObject): InfoError {
  const say = (reason: string, fault: InfoFault = 'refused'): InfoError =>
    new InfoError(`discovery: cannot read cluster-info of "${server}": ${reason}`, fault)
  if (statusCode === 401) return say('it answers nobody that it does not know; use a discovery file with credentials')
  if (statusCode === 403)
    return say('it does not let everybody read it; use a discovery file, or phase bootstrap-token')
  if (statusCode === 404 && object?.kind === 'Status')
    return say('it is not there: kubeadm did not make this cluster; use a discovery file, or phase bootstrap-token')
  if (statusCode === 200 && object?.kind === 'ConfigMap')
    return say('there is no kubeconfig in it; phase bootstrap-token makes it anew on a control plane node')
  // What is about to come up, or has too much to do, says so for a while.
  if (statusCode >= 500 || statusCode === 429) {
    const { kind, message } = object ?? {}
    const words = kind === 'Status' && typeof message === 'string' ? JSON.stringify(message.slice(0, 200)) : undefined
    const reason =
      words === undefined
        ? `what answers (status ${statusCode}) has no API server behind it; does a balancer lack its servers, or is that another port?`
        : `it answers ${words} (status ${statusCode}); see the log of that API server, and that of etcd`
    return say(reason, 'unreachable')
  }
  const { location } = headers
  const elsewhere = statusCode < 400 && location !== undefined ? ` leads to ${JSON.stringify(location)} and` : ''
  return say(`what answers (status ${statusCode})${elsewhere} is not an API server; ${STRANGE}`, 'hopeless')
}

/** It is there: etcd, most of all, is what it may wait for. */
async function silentServer(server: string, limitMs: number, cause: unknown): Promise<InfoError> {
  const isWithoutEtcd = (await failedChecks(server)).includes('etcd')
  const reason = isWithoutEtcd
    ? 'it has no etcd: more than half of the members of that have to run; start those that do not'
    : `it takes the connection and gives no answer within ${limitMs / 1000} s; see the log of that API server`
  const head = `discovery: cannot read cluster-info of "${server}"`
  return new InfoError(`${head}: ${reason}`, isWithoutEtcd ? 'hopeless' : 'unreachable', { cause })
}
