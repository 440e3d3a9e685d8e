/** An API server that may be away for a moment, as while a control plane is replaced: questions are asked again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, ApiError } from './api-client.ts'

const POLL_MS = 200

/** What passes by itself: no answer, too many questions, a server that is not ready. */
function mayPass(status: number): boolean {
  return status === 0 || status === 429 || status >= 500
}

/**
 * The same client, whose questions are asked until the deadline, and so is taking away, which does no more the second time;
 * what else changes something is asked once, as before.
 */
export function patientApi(api: Api, deadline: AbortSignal): Api {
  return {
    ...api,
    get: async path => {
      for (;;) {
        try {
          return await api.get(path)
        } catch (error) {
          if (!(error instanceof ApiError) || !mayPass(error.status) || deadline.aborted) throw error
        }
        await sleep(POLL_MS)
      }
    },
    send: async (method, path, body, contentType) => {
      const isRepeatable = method === 'GET' || method === 'DELETE' || path.includes('dryRun=All')
      for (;;) {
        try {
          const answer = await api.send(method, path, body, contentType)
          if (!isRepeatable || !mayPass(answer.status) || deadline.aborted) return answer
        } catch (error) {
          if (!isRepeatable || !(error instanceof ApiError) || !mayPass(error.status) || deadline.aborted) throw error
        }
        await sleep(POLL_MS)
      }
    },
  }
}
