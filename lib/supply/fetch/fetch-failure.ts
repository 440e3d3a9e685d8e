/** What went wrong while fetching: one try, all tries for one thing, and everything at once in words. */
import { KubestepError } from '../../base/errors.ts'
import { commandOf } from '../../cli/invocation.ts'

/** One try failed. */
export class TransferError extends KubestepError {
  override readonly name: string = 'TransferError'
  readonly host: string
  /** Whether another try at the same place can help. */
  readonly again: boolean
  /** Whether the host answered at all. */
  readonly reached: boolean
  /** How long the host asked to be left alone. */
  readonly waitMs: number

  constructor(host: string, reason: string, more: { again: boolean; reached: boolean; waitMs?: number }) {
    super(reason)
    this.host = host
    this.again = more.again
    this.reached = more.reached
    this.waitMs = more.waitMs ?? 0
  }
}

/** What a host had to say, and how often. */
export interface Complaint {
  readonly host: string
  readonly reason: string
  readonly tries: number
  readonly reached: boolean
}

/** Something could not be had from anywhere. */
export interface Failure {
  /** E.g. `kubelet v1.36.2`. */
  readonly subject: string
  /** The newest last. */
  readonly complaints: readonly Complaint[]
  /** What ended the tries when that was not the hosts, e.g. that the time is up. */
  readonly reason?: string
}

/** All tries for one thing failed. */
export class FetchError extends KubestepError {
  override readonly name: string = 'FetchError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(`components: cannot fetch ${failure.subject}: ${reasons(failure)}`)
    this.failure = failure
  }
}

/** How to get along without the network, or around it. */
export const WAYS_OUT: readonly (readonly [way: string, about: string])[] = [
  ['--mirror URL', 'fetch files from URL/release/... (or URL/dl.k8s.io/release/..., URL/github.com/...)'],
  ['--mirror REGISTRY=URL', 'pull images of a registry, e.g. registry.k8s.io, from a mirror of it'],
  ['--image-repository REPOSITORY', 'pull images from another registry'],
  [
    '--artifacts DIR',
    `use a folder that ${commandOf('bundle')} wrote on a machine with a network; nothing is fetched then`,
  ],
  ['HTTPS_PROXY, NO_PROXY', 'name the proxy that leads out'],
]

/** What a request meets where nothing may be contacted. */
export const OFFLINE = '--offline: it is not contacted'

/** A try that the end of the time cut off. */
export const NO_ANSWER = 'no answer'

/** One error for everything that could not be had; with the ways out when no host answered at all. */
export function failureError(failures: readonly Failure[]): KubestepError {
  const subjects = failures.map(({ subject }) => subject)
  const complaints = failures.flatMap(failure => failure.complaints)
  if (complaints.length > 0 && complaints.every(({ reason }) => reason === OFFLINE)) {
    return new KubestepError(
      `components: cannot fetch ${subjects.join(', ')}: with --offline nothing is contacted (${[...new Set(complaints.map(({ host }) => host))].join(', ')}), and neither --artifacts nor the cache has them; run it once without --offline, or use --artifacts DIR`,
    )
  }
  const cut = failures.find(({ reason }) => reason !== undefined)?.reason
  if (complaints.some(({ reached }) => reached) || complaints.length === 0) {
    // One trouble with a host often concerns many things.
    const subjectsOf = new Map<string, readonly string[]>()
    for (const failure of failures) {
      const why = `${reasons(failure)}; ${advice(failure)}`
      subjectsOf.set(why, [...(subjectsOf.get(why) ?? []), failure.subject])
    }
    return new KubestepError(
      [...subjectsOf].map(([why, names]) => `components: cannot fetch ${names.join(', ')}: ${why}`).join('\n'),
    )
  }
  const hosts = new Map<string, Complaint>()
  for (const complaint of complaints) {
    // What was cut off by the end of the time has nothing more to say than an earlier try.
    if (complaint.reason !== NO_ANSWER || !hosts.has(complaint.host)) hosts.set(complaint.host, complaint)
  }
  return new KubestepError(
    [
      `components: cannot fetch ${subjects.join(', ')}: no host can be reached${cut === undefined ? '' : ` (${cut})`}; tried`,
      ...[...hosts.values()].map(complaint => `  ${sentence(complaint)}`),
      'ways out:',
      ...WAYS_OUT.map(([way, about]) => `  ${way}: ${about}`),
    ].join('\n'),
  )
}

/** So many complaints about one thing are shown. */
const SHOWN = 4

function advice({ complaints }: Failure): string {
  const absent =
    complaints.length > 0 && complaints.every(({ reason }) => /^status (?:403|404|410) |not found$/.test(reason))
  return absent
    ? 'check that this version exists, and for a mirror that it has the file'
    : 'try again later, or see --mirror and --artifacts'
}

function reasons({ complaints, reason }: Failure): string {
  return [...(reason === undefined ? [] : [reason]), ...complaints.slice(-SHOWN).map(sentence)].join('; ')
}

function sentence({ host, reason, tries }: Complaint): string {
  return `${host}: ${reason}${tries > 1 ? ` (${tries} tries)` : ''}`
}

/** Codes of Node, Deno and Bun for what can go wrong below HTTP. */
const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'no DNS server answers for its name',
  EAI_FAIL: 'its name does not resolve',
  EAI_NODATA: 'its name does not resolve',
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  FailedToOpenSocket: 'no connection',
  ECONNRESET: 'connection reset',
  ConnectionClosed: 'connection reset',
  ECONNABORTED: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  EADDRNOTAVAIL: 'no route to it',
  EPROTO: 'it does not speak TLS',
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|certificate/

/** A network error as a failed try. */
export function transferError(error: unknown, host: string, reached: boolean): TransferError {
  if (error instanceof TransferError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (CERTIFICATE.test(code) || CERTIFICATE.test(message)) {
    const reason = `its certificate is not trusted (${code || message}); name your own authority in NODE_EXTRA_CA_CERTS`
    return new TransferError(host, reason, { again: false, reached: true })
  }
  const refusal = /^Bad response: (\d+)$/.exec(message)?.[1]
  if (refusal !== undefined) {
    return new TransferError(host, `the proxy answers with status ${refusal}`, { again: true, reached: false })
  }
  const reason = NETWORK_REASONS[code] ?? (message === 'aborted' ? 'connection reset' : message || code)
  return new TransferError(host, reason, { again: true, reached })
}
