/** What a cluster says of itself to everybody: the ConfigMap cluster-info, read before anybody is trusted. */
import { lookup } from 'node:dns'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { SIGNATURE_PREFIX } from '../../kubeadm/credentials/cluster-info-signature.ts'
import { checkClock } from './clock.ts'
import { failedChecks } from './failed-checks.ts'

/** Why there is none. */
export type InfoFault = 'unreachable' | 'refused' | 'foreign-ca' | 'clock'

/** There is no cluster-info to be had. */
export class InfoError extends KubestepError {
  override readonly name: string = 'InfoError'
  readonly fault: InfoFault

  constructor(message: string, fault: InfoFault, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

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
  /** PEM of the CAs to trust; without it everybody is believed. */
  readonly ca?: string
  /** Who asks; nobody when left out. */
  readonly token?: string
  readonly certificate?: string
  readonly key?: string
  /** How long the answer may take. */
  readonly limitMs?: number
}

const PATH = '/api/v1/namespaces/kube-public/configmaps/cluster-info'

/** etcd chooses another leader in half of that. */
const LIMIT_MS = 5_000

/** An answer is a few KB; whoever sends more is no API server. */
const MOST_BYTES = 1_000_000

/** What an error of the connection means. */
const CONNECTION: readonly (readonly [code: RegExp, words: string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there; is the port right, and does the API server run?'],
  [/^(?:ENOTFOUND|EAI_AGAIN|EAI_NONAME)$/, 'this name has no address; correct it, or see to the name server'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/, 'there is no way to this address; is it right, is the machine up?'],
  [/^ECONNRESET$/, 'the connection was cut; is a firewall or a balancer without servers in between?'],
]

const STRANGE = 'is that the port of an API server?'

/** Reads it. Throws an InfoError that says what is wrong. */
export async function readClusterInfo(question: Question): Promise<ClusterInfo> {
  const { server, ca, token, certificate, key, limitMs = LIMIT_MS } = question
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
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
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
    if (stop.aborted && isConnected) throw await silentServer(server, error)
    throw connectionError(server, error, stop.aborted ? (isResolving ? 'name' : 'server') : undefined)
  }
  const told = new Date(response.headers.date ?? '')
  const date = Number.isNaN(told.getTime()) ? undefined : told
  // Who is trusted tells the time also when it says nothing else.
  if (ca !== undefined) checkClock(server, date)
  const refused = (reason: string): InfoError =>
    new InfoError(`discovery: cannot read cluster-info of "${server}": ${reason}`, 'refused')
  const status = response.statusCode
  const object = decoded(text)
  if (status === 401) throw refused('it answers nobody that it does not know; use a discovery file with credentials')
  if (status === 403) throw refused('it does not let everybody read it; use a discovery file, or phase bootstrap-token')
  if (status === 404 && object?.kind === 'Status') {
    throw refused('it is not there: kubeadm did not make this cluster; use a discovery file, or phase bootstrap-token')
  }
  const data = object?.data
  if (status !== 200 || !isObject(data) || typeof data.kubeconfig !== 'string') {
    throw refused(`what answers (status ${status}) is not an API server; ${STRANGE}`)
  }
  const signatures = Object.entries(data).flatMap(([name, value]) =>
    name.startsWith(SIGNATURE_PREFIX) && value ? [[name.slice(SIGNATURE_PREFIX.length), String(value)]] : [],
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

/** It is there: etcd, most of all, is what it may wait for. */
async function silentServer(server: string, cause: unknown): Promise<InfoError> {
  const isWithoutEtcd = (await failedChecks(server)).includes('etcd')
  const reason = isWithoutEtcd
    ? 'it has no etcd: more than half of the members of that have to run; start those that do not'
    : `it takes the connection and gives no answer within ${LIMIT_MS / 1000} s; see the log of that API server`
  const head = `discovery: cannot read cluster-info of "${server}"`
  return new InfoError(`${head}: ${reason}`, isWithoutEtcd ? 'refused' : 'unreachable', { cause })
}

function connectionError(server: string, error: unknown, late: 'name' | 'server' | undefined): InfoError {
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  const head = `discovery: cannot reach "${server}"`
  const say = (reason: string, fault: InfoFault): InfoError =>
    new InfoError(`${head}: ${reason}`, fault, { cause: error })
  // A name server that is silent once is so again, and its silence cannot be cut short.
  if (late === 'name')
    return say(
      `no name server tells its address within ${LIMIT_MS / 1000} s; see to that, or use an address`,
      'refused',
    )
  if (late === 'server')
    return say(`no answer within ${LIMIT_MS / 1000} s; is the address right, is a firewall in between?`, 'unreachable')
  const known = CONNECTION.find(([codes]) => codes.test(code))
  if (known !== undefined) return say(known[1], 'unreachable')
  if (code === 'CERT_NOT_YET_VALID')
    return say("its certificate is not valid yet by this machine's clock; set that", 'clock')
  if (code === 'CERT_HAS_EXPIRED') {
    return say("its certificate has expired by this machine's clock; set that, or renew the certificate", 'clock')
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return say(
      'its certificate is not for this name; use one that stands in it, or init with --apiserver-cert-extra-sans',
      'refused',
    )
  }
  if (/^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_)/.test(code)) {
    return say(
      `another CA has signed its certificate (${code}): somebody stands between; do not trust this network`,
      'foreign-ca',
    )
  }
  if (/SSL|EPROTO|TLS/.test(code)) return say(`its TLS is not that of an API server (${code}); ${STRANGE}`, 'refused')
  if (code.startsWith('HPE_')) return say(`what it says is no HTTP (${code}); ${STRANGE}`, 'refused')
  return say(`${reasonOf(error)}; ${STRANGE}`, 'refused')
}
