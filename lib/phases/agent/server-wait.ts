/** Waiting for an API server that is on its way. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../../cluster/api/api-client.ts'
import { listens } from '../../machine/network/listens.ts'

const KNOCK_MS = 100

/** How long a server that answers may say that it is not ready; then everybody sees for himself. */
const STARTING_LIMIT_MS = 30_000

/**
 * One asks for all, and with their rights: each by itself would find the server late, after ever longer pauses, or be
 * refused again and again by one that has yet to make its roles, when it needs the processor most.
 */
export async function waitForServer(open: () => Api, signal: AbortSignal): Promise<void> {
  let api: Api | undefined
  let begun: number | undefined
  while (!signal.aborted) {
    api ??= opened(open)
    const answer =
      api !== undefined && (await listens(api.server))
        ? await api.send('GET', '/readyz').catch(() => undefined)
        : undefined
    if (answer !== undefined) begun ??= performance.now()
    if (answer?.status === 200 || performance.now() - (begun ?? Infinity) > STARTING_LIMIT_MS) break
    await sleep(KNOCK_MS, undefined, { signal }).catch(() => {})
  }
  api?.close()
}

function opened(open: () => Api): Api | undefined {
  try {
    return open()
  } catch {
    // A kubelet that joins has no certificate yet.
    return undefined
  }
}
