/**
 * GET over http and https: redirects, proxies, timeouts, in the same words on Node, Deno and Bun. node:http and not
 * fetch, because fetch of Node 20 knows no proxies, unpacks bodies behind our back, and hides what went wrong.
 */
import { setMaxListeners } from 'node:events'
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { NO_ANSWER, OFFLINE, TransferError, transferError } from './fetch-failure.ts'
import { LIMITS, type Limits } from './limits.ts'
import { type Connections, openConnections, type Route, type TlsByOrigin } from './proxy.ts'

/** Headers for a request; asked for again at every redirect, so that tokens stay with their host. */
export type HeadersFor = (url: URL) => Readonly<Record<string, string>>

export interface Answer {
  readonly status: number
  /** The last value of a header, by its lower case name. */
  readonly header: (name: string) => string | undefined
  /** Where it came from in the end. */
  readonly url: URL
  /** Throws a TransferError when it breaks, or comes too slowly. */
  readonly body: AsyncIterable<Uint8Array>
  /** Gives up the body. */
  readonly discard: () => void
}

export interface Network {
  readonly limits: Limits
  /** Whether every request fails, because nothing may be contacted. */
  readonly offline: boolean
  /** Fires when the time is up, or when nothing can be reached; the reason is a text. */
  readonly end: AbortSignal
  /** Follows redirects. With a form it is posted. Throws a TransferError; never for a status. */
  readonly get: (url: string, headers?: HeadersFor, form?: URLSearchParams) => Promise<Answer>
  readonly close: () => void
}

export interface NetworkOptions {
  /** Ends everything. */
  readonly deadline: AbortSignal
  readonly limits?: Partial<Limits>
  /** Nothing is contacted: every request fails, and says so. */
  readonly offline?: boolean
  readonly tls?: TlsByOrigin
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
const MOST_REDIRECTS = 10
const REDIRECT_BYTES = 64 * 1024

/** Opens the network for one piece of work; connections are kept until it is closed. */
export function openNetwork(options: NetworkOptions): Network {
  const limits = { ...LIMITS, ...options.limits }
  const connections = openConnections(options.tls)
  const ending = new AbortController()
  // Every request and every pause listens.
  setMaxListeners(0, ending.signal)
  const expire = (): void => ending.abort('the time is up')
  if (options.deadline.aborted) expire()
  options.deadline.addEventListener('abort', expire)
  let reached = false
  let reachTimer: ReturnType<typeof setTimeout> | undefined
  const answered = (): void => {
    reached = true
    clearTimeout(reachTimer)
  }
  const context: Context = { connections, limits, end: ending.signal, answered }
  return {
    limits,
    offline: options.offline ?? false,
    end: ending.signal,
    get: async (url, headers = () => ({}), form) => {
      if (options.offline) throw new TransferError(new URL(url).host, OFFLINE, { again: false, reached: false })
      if (!reached) {
        reachTimer ??= setTimeout(
          () => ending.abort(`no answer from anywhere in ${limits.reachMs / 1000} s`),
          limits.reachMs,
        )
      }
      return follow(context, new URL(url), headers, form)
    },
    close: () => {
      clearTimeout(reachTimer)
      options.deadline.removeEventListener('abort', expire)
      connections.close()
    },
  }
}

interface Context {
  readonly connections: Connections
  readonly limits: Limits
  readonly end: AbortSignal
  readonly answered: () => void
}

async function follow(
  context: Context,
  start: URL,
  headers: HeadersFor,
  form: URLSearchParams | undefined,
): Promise<Answer> {
  let url = start
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const route = await context.connections.route(url)
    const response = await ask(context, url, route, { ...STANDARD_HEADERS, ...headers(url) }, form)
    context.answered()
    const { statusCode: status = 0, headers: fields } = response
    // What was posted may be a secret: it goes nowhere else.
    const location = REDIRECTS.includes(status) && form === undefined ? fields.location : undefined
    if (location === undefined) return answerOf(context, url, status, response)
    // A short text is read, so that the connection can be used again; anything else is not waited for.
    if (Number(fields['content-length'] ?? Number.NaN) <= REDIRECT_BYTES) response.resume()
    else response.destroy()
    url = redirected(url, location)
  }
  throw new TransferError(start.host, `more than ${MOST_REDIRECTS} redirects`, { again: false, reached: true })
}

const FORM_HEADERS = { 'content-type': 'application/x-www-form-urlencoded' } as const
const STANDARD_HEADERS = { 'user-agent': 'kubestep', 'accept-encoding': 'identity' } as const

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  const safe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:')
  if (to !== undefined && safe) return to
  throw new TransferError(from.host, `it redirects to ${JSON.stringify(location)}, which is not followed`, {
    again: false,
    reached: true,
  })
}

/** One request up to the head of its answer. */
function ask(
  { limits, end }: Context,
  url: URL,
  { agent, proxy }: Route,
  headers: Readonly<Record<string, string>>,
  form: URLSearchParams | undefined,
): Promise<IncomingMessage> {
  const host = proxy === '' ? url.host : `${url.host} (proxy ${proxy})`
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const posted = form === undefined ? {} : { method: 'POST', headers: { ...headers, ...FORM_HEADERS } }
    const call: ClientRequest = send(url, { agent, headers, ...posted })
    const settle = (): void => {
      clearTimeout(timer)
      end.removeEventListener('abort', onEnd)
    }
    const fail = (error: unknown): void => {
      settle()
      // While a proxy connects there is no socket yet, and destroy() alone would not end the wait.
      reject(transferError(error, host, false))
      call.destroy()
    }
    const timer = setTimeout(() => fail(new Error(`no answer in ${limits.answerMs / 1000} s`)), limits.answerMs)
    const onEnd = (): void => fail(new Error(NO_ANSWER))
    if (end.aborted) onEnd()
    end.addEventListener('abort', onEnd)
    call.on('error', fail)
    call.on('response', response => {
      settle()
      resolve(response)
    })
    call.end(form?.toString())
  })
}

function answerOf(context: Context, url: URL, status: number, response: IncomingMessage): Answer {
  return {
    status,
    header: name => {
      const value = response.headers[name]
      return Array.isArray(value) ? value.at(-1) : value
    },
    url,
    body: bodyOf(context, url, response),
    discard: () => response.destroy(),
  }
}

async function* bodyOf({ limits, end }: Context, url: URL, response: IncomingMessage): AsyncGenerator<Uint8Array> {
  let received = 0
  let before = 0
  let stop: TransferError | undefined
  const interrupt = (reason: string): void => {
    stop = new TransferError(url.host, reason, { again: true, reached: true })
    response.destroy(stop)
  }
  const onEnd = (): void => interrupt('the transfer was cut off')
  const watch = setInterval(() => {
    if (received - before < limits.stallBytes) {
      interrupt(`only ${received - before} bytes came in ${limits.stallMs / 1000} s`)
    }
    before = received
  }, limits.stallMs)
  end.addEventListener('abort', onEnd)
  try {
    if (end.aborted) onEnd()
    for await (const chunk of response) {
      received += (chunk as Uint8Array).length
      yield chunk as Uint8Array
    }
    // Some runtimes end a destroyed stream quietly.
    if (stop !== undefined) throw stop
  } catch (error) {
    throw stop ?? transferError(error, url.host, true)
  } finally {
    clearInterval(watch)
    end.removeEventListener('abort', onEnd)
  }
}
