/**
 * A client for the Kubernetes API over mutual TLS. node:https, because the global fetch of Node 20 takes no
 * client certificate; the same code runs on Deno and Bun.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'

/** Who talks to which server; PEM text throughout. */
export interface Credentials {
  /** E.g. `https://10.0.0.5:6443`. */
  readonly server: string
  readonly ca: string
  readonly certificate?: string
  readonly key?: string
  /** In place of certificate and key. */
  readonly token?: string
}

export interface Response {
  readonly status: number
  readonly body: string
  /** When it was made by the server's clock, where it tells. */
  readonly date?: Date | undefined
}

export interface Api {
  readonly server: string
  /** One request; never throws for an HTTP status. Throws an ApiError when there is no answer. */
  readonly send: (method: string, path: string, body?: JsonObject, contentType?: string) => Promise<Response>
  /** GET and decode; undefined for 404. Throws an ApiError for any other failure. */
  readonly get: (path: string) => Promise<JsonObject | undefined>
  /** GET whose answer comes in lines, until it ends or is ended. Throws an ApiError, and what `onLine` throws. */
  readonly lines: (path: string, onLine: (line: string) => void, signal: AbortSignal) => Promise<void>
  readonly close: () => void
}

/** The API server did not answer (`status` 0) or refused. */
export class ApiError extends KubestepError {
  override readonly name: string = 'ApiError'
  readonly status: number

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message)
    this.status = status
    if (options?.cause !== undefined) this.cause = options.cause
  }
}

/** How long one request may take, as kubeadm has it (kubeadm constants.go, v1.36). */
const REQUEST_TIMEOUT_MS = 10_000

/** How long a watch may be silent: a server that lives sends a bookmark a minute. Source: cacher.go (v1.36). */
const SILENCE_MS = 100_000

/**
 * Opens a client; connections are kept and shared, and made only when needed.
 * Throws an ApiError when the credentials are damaged.
 */
export function openApi(credentials: Credentials): Api {
  const { server, ca, certificate, key, token } = credentials
  checkPem(credentials)
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca, cert: certificate, key })
  const send: Api['send'] = (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const headers = {
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(payload !== undefined && { 'content-type': contentType }),
      }
      const call = request(`${server}${path}`, { method, agent, headers, timeout: REQUEST_TIMEOUT_MS }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        const { statusCode: status = 0, headers } = response
        const date = headers.date === undefined ? undefined : new Date(headers.date)
        response.on('end', () => resolve({ status, body: Buffer.concat(chunks).toString(), date }))
        response.on('error', fail)
      })
      const fail = (error: Error): void =>
        reject(new ApiError(`api: cannot reach "${server}": ${error.message}`, 0, { cause: error }))
      call.on('timeout', () => call.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`)))
      call.on('error', fail)
      call.end(payload)
    })
  return {
    server,
    send,
    get: async path => {
      const { status, body } = await send('GET', path)
      if (status === 404) return undefined
      if (status !== 200) throw refusal('GET', path, { status, body })
      const object = decoded(body)
      if (object === undefined) throw new ApiError(`api: cannot GET "${path}": the answer is not JSON`, status)
      return object
    },
    lines: (path, onLine, signal) => readLines({ url: `${server}${path}`, agent, signal }, onLine),
    close: () => agent.destroy(),
  }
}

interface LineSource {
  readonly url: string
  readonly agent: Agent
  readonly signal: AbortSignal
}

function readLines({ url, agent, signal }: LineSource, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, signal, timeout: SILENCE_MS, headers: { accept: 'application/json' } })
    const fail = (error: Error): void => {
      reject(error instanceof ApiError ? error : new ApiError(`api: cannot read "${url}": ${error.message}`, 0))
    }
    call.on('timeout', () => call.destroy(new Error(`silent for ${SILENCE_MS / 1000} s`)))
    call.on('error', fail)
    call.on('response', response => {
      const status = response.statusCode ?? 0
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const lines = `${rest}${chunk}`.split('\n')
        rest = lines.pop() ?? ''
        if (status !== 200) {
          rest = [...lines, rest].join('\n')
          return
        }
        try {
          for (const line of lines) onLine(line)
        } catch (error) {
          call.destroy()
          fail(error as Error)
        }
      })
      response.on('error', fail)
      response.on('end', () => {
        if (status === 200) resolve()
        else reject(refusal('GET', new URL(url).pathname, { status, body: rest }))
      })
    })
    call.end()
  })
}

// Otherwise OpenSSL's own words would come with the first request.
function checkPem({ server, ca, certificate, key }: Credentials): void {
  try {
    for (const text of [ca, certificate]) if (text !== undefined) new X509Certificate(text)
    if (key !== undefined) createPrivateKey(key)
  } catch (error) {
    throw new ApiError(
      `api: cannot talk to "${server}": a certificate or the key in the kubeconfig is damaged (${reasonOf(error)}); make it again with the kubeconfig script`,
      0,
      { cause: error },
    )
  }
}

/** The error for an answer that is not the wanted one, with the server's own words. */
export function refusal(method: string, path: string, response: Response): ApiError {
  return new ApiError(`api: cannot ${method} "${path}": ${statusMessage(response)}`, response.status)
}

function statusMessage({ status, body }: Response): string {
  const message = decoded(body)?.message
  return typeof message === 'string' ? `${message} (status ${status})` : `status ${status}: ${body.split('\n')[0]}`
}

function decoded(body: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
