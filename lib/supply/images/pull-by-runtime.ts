/** A pull by the container runtime itself: with the user's login, tried again where that can help. */

import { within } from '../../base/deadline.ts'
import { reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Cri } from '../cri/cri-client.ts'
import { CriError } from '../cri/grpc.ts'
import { OFFLINE, TransferError } from '../fetch/fetch-failure.ts'
import { LIMITS, type Limits } from '../fetch/limits.ts'
import { readReference } from '../fetch/reference.ts'
import { persist } from '../fetch/retry.ts'
import type { Registries } from '../registry/registry-facts.ts'
import type { Credentials } from '../registry/registry-logins.ts'

/** One pull may take that long; the runtime says nothing meanwhile. */
const PULL_LIMIT_MS = 20 * 60_000

/** What a runtime's words mean: whether the registry answered, and whether asking again can help. First match counts. */
const MEANINGS: readonly (readonly [words: RegExp, meaning: { readonly reached: boolean; readonly again: boolean }])[] =
  [
    [/x509|certificate/i, { reached: true, again: false }],
    [
      /no such host|server misbehaving|connection refused|unreachable|no route to host/i,
      { reached: false, again: true },
    ],
    // The runtime has waited long enough.
    [/i\/o timeout|handshake timeout|deadline exceeded|no answer within/i, { reached: false, again: false }],
    [/unauthorized|401|403|forbidden|denied|insufficient_scope|authorization failed/i, { reached: true, again: false }],
    [/not ?found|404|manifest unknown|no match for platform/i, { reached: true, again: false }],
    [
      /\b(?:429|5\d\d)\b|EOF|reset by peer|too many requests|cut short|size validation|digest/i,
      { reached: true, again: true },
    ],
  ]

export interface RuntimePull {
  readonly cri: Cri
  readonly registries: Pick<Registries, 'findCredentials'>
  readonly end: AbortSignal
  readonly limits?: Partial<Limits>
  readonly offline?: boolean
  readonly onRetry: (image: string, reason: string, pauseMs: number) => void
}

/** Lets the runtime pull an image. Throws a FetchError that says what it had to say, or a KubestepError. */
export async function pullByRuntime(image: string, options: RuntimePull): Promise<void> {
  const { cri, registries, end, offline = false, onRetry } = options
  const { host, repository } = readReference(image)
  // Credentials that cannot be had are no reason not to ask: the image may be for everybody.
  let trouble: string | undefined
  const credentials = offline
    ? undefined
    : await registries.findCredentials(host, repository).catch((error: unknown) => {
        trouble = reasonOf(error)
        return undefined
      })
  const request = { image: { image }, ...(credentials !== undefined && { auth: authOf(credentials) }) }
  const limits = { ...LIMITS, tries: 3, ...options.limits }
  const subject = `image ${image}`
  const told = (reason: string, pauseMs: number): void => onRetry(subject, reason, pauseMs)
  await persist({ subject, urls: [image], onRetry: told }, { limits, end }, async () => {
    if (offline) throw new TransferError(host, OFFLINE, { again: false, reached: false })
    try {
      await within(end, subject, cri.call('PullImage', request, PULL_LIMIT_MS))
    } catch (error) {
      // Whether anything came the runtime does not tell.
      if (end.aborted) throw new TransferError(host, 'the runtime was still pulling', { again: false, reached: true })
      if (!(error instanceof CriError)) throw error
      const { message, reached, again } = pullError(error, host)
      throw new TransferError(host, trouble === undefined ? message : `${message} (${trouble})`, { reached, again })
    }
  })
}

/** A failed pull as a failed try. */
export function pullError(error: CriError, host: string): TransferError {
  const text = reasonOf(error).replace(/^runtime: cannot call PullImage of "[^"]*": /, '')
  const meaning = MEANINGS.find(([words]) => words.test(text))?.[1] ?? { reached: true, again: false }
  return new TransferError(host, shortened(text), meaning)
}

/**
 * The runtime repeats itself: `failed to pull and unpack image "X": failed to resolve reference "X": what it is`.
 * Without the address one trouble of many images is one.
 */
function shortened(text: string): string {
  const rest = text.replace(/^rpc error: code = \w+ desc = /, '')
  const reason = rest.replace(/^(?:failed to [^":]+(?: "[^"]*")?: )+/, '').replace(/^(?:\w+ "https?:[^"]*": )+/, '')
  return reason || rest
}

function authOf({ username, password, identityToken }: Credentials): JsonObject {
  return identityToken === undefined ? { username, password } : { identityToken }
}
