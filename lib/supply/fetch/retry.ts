/** Tries in turn, at every source, with pauses, until one succeeds or another try would not help. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Complaint, FetchError, TransferError } from './fetch-failure.ts'
import type { Network } from './network.ts'

export interface Persistence {
  /** What is fetched, for messages: `kubelet v1.36.2`. */
  readonly subject: string
  /** Addresses of the same thing, first choice first. */
  readonly urls: readonly string[]
  /** How much has come so far, in bytes; a try that adds enough to it does not count as vain. */
  readonly received?: () => number
  readonly onRetry?: (reason: string, pauseMs: number) => void
}

/**
 * Runs `attempt` with one URL after the other. A TransferError leads to the next try, any other error ends it.
 * Throws a FetchError that says what each host had to say.
 */
export async function persist<T>(
  { subject, urls, received = () => 0, onRetry = () => {} }: Persistence,
  network: Pick<Network, 'limits' | 'end'>,
  attempt: (url: string) => Promise<T>,
): Promise<T> {
  const { limits, end } = network
  const complaints = new Map<string, Complaint>()
  const fail = (reason?: string): FetchError =>
    new FetchError({ subject, complaints: [...complaints.values()], ...(reason !== undefined && { reason }) })
  let left = urls
  let turn = 0
  let vain = 0
  for (let tries = 1; ; tries++) {
    const url = left[turn % left.length] ?? ''
    const before = received()
    try {
      return await attempt(url)
    } catch (error) {
      if (!(error instanceof TransferError)) throw error
      note(complaints, error)
      if (end.aborted) throw fail(String(end.reason))
      vain = received() - before >= limits.progressBytes ? 0 : vain + 1
      if (error.again) turn++
      else left = left.filter(other => other !== url)
      if (left.length === 0 || vain >= limits.tries || tries >= limits.allTries) throw fail()
      const pauseMs = pause(error, turn, left.length, network)
      onRetry(`${error.host}: ${error.message}`, pauseMs)
      await sleep(pauseMs, undefined, { signal: end }).catch(() => {
        throw fail(String(end.reason))
      })
    }
  }
}

/** Other sources are asked at once; after each round of them a pause, of random length so that crowds disperse. */
function pause(error: TransferError, turn: number, sources: number, { limits }: Pick<Network, 'limits'>): number {
  if (!error.again || turn % sources !== 0) return 0
  const round = Math.min(turn / sources - 1, 16)
  const full = Math.min(limits.pauseMs * 2 ** round, limits.longestPauseMs)
  return Math.round(Math.max(full * (0.5 + Math.random() / 2), Math.min(error.waitMs, limits.longestPauseMs)))
}

function note(complaints: Map<string, Complaint>, { host, message, reached }: TransferError): void {
  const key = `${host} ${message}`
  const tries = (complaints.get(key)?.tries ?? 0) + 1
  // Deleted first, so that the newest complaint is the last.
  complaints.delete(key)
  complaints.set(key, { host, reason: message, tries, reached })
}
