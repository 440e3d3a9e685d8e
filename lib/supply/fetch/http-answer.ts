/** Reading answers: what a status means for further tries, and small bodies. */
import { TransferError } from './fetch-failure.ts'
import type { Answer, HeadersFor, Network } from './network.ts'
import { type Persistence, persist } from './retry.ts'

/** Statuses that often pass: 400 because registry.k8s.io's CDN gives it at random (kubernetes/registry.k8s.io#333). */
const PASSING: readonly number[] = [400, 408, 416, 425, 429]

/** Far more than any checksum, version or image manifest has. */
export const SMALL_BYTES: number = 4 * 1024 * 1024

/** A status other than the wished one as a failed try. */
export function statusError(answer: Answer): TransferError {
  const { status, url } = answer
  // What comes after ? may be a signature.
  return new TransferError(url.host, `status ${status} for ${url.origin}${url.pathname}`, {
    again: PASSING.includes(status) || status >= 500,
    reached: true,
    waitMs: retryAfterMs(answer.header('retry-after')),
  })
}

/** Source: RFC 9110 10.2.3: seconds, or a date. */
function retryAfterMs(text: string | undefined): number {
  if (text === undefined) return 0
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Math.max(ms || 0, 0)
}

/** The whole body of a small answer. Throws a TransferError when it is cut short or not small at all. */
export async function readAll(answer: Answer): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let received = 0
  const broken = (reason: string, again: boolean): TransferError =>
    new TransferError(answer.url.host, `${reason} for ${answer.url.origin}${answer.url.pathname}`, {
      again,
      reached: true,
    })
  for await (const chunk of answer.body) {
    received += chunk.length
    if (received > SMALL_BYTES) {
      answer.discard()
      throw broken(`more than ${SMALL_BYTES} bytes`, false)
    }
    chunks.push(chunk)
  }
  const expected = answer.header('content-length')
  if (expected !== undefined && Number(expected) !== received) {
    throw broken(`only ${received} of ${expected} bytes`, true)
  }
  return Buffer.concat(chunks)
}

export interface TextOptions<T> {
  readonly headers?: HeadersFor
  /** Makes something of the text; undefined when it is not what was wanted, e.g. the web page of a proxy. */
  readonly read: (text: string) => T | undefined
  /** What it should be, for messages. */
  readonly kind: string
}

/** What a small text holds, from the first source that has it. Throws a FetchError. */
export function fetchText<T>(what: Persistence, network: Network, options: TextOptions<T>): Promise<T> {
  return persist(what, network, async url => {
    const answer = await network.get(url, options.headers)
    if (answer.status !== 200) {
      answer.discard()
      throw statusError(answer)
    }
    const text = Buffer.from(await readAll(answer)).toString()
    const value = options.read(text)
    if (value !== undefined) return value
    const reason = `no ${options.kind} but ${JSON.stringify(text.slice(0, 60))} at ${answer.url.origin}${answer.url.pathname}`
    throw new TransferError(answer.url.host, reason, { again: true, reached: true })
  })
}
