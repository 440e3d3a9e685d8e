/** Objects into the API server: create, or update what is there, with retries for what is merely not ready yet. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../base/json.ts'
import { type Api, ApiError, refusal } from './api-client.ts'
import { collectionPath, nameOf, objectPath } from './resources.ts'

export interface ApplyOptions {
  /** Leave an object that exists as it is. Source: kubeadm CreateOrRetainConfigMap. */
  readonly retain?: boolean
  /** Give up after that time; until then everything but a plain refusal is tried again. */
  readonly deadline: AbortSignal
}

const RETRY_MS = 100

/**
 * Creates an object, or replaces the one of that name. Throws an ApiError with the server's words when it refuses
 * (400, or 422 for a while), or when the deadline passes.
 */
export async function applyObject(api: Api, object: JsonObject, options: ApplyOptions): Promise<void> {
  await persist(options.deadline, async () => {
    const collection = collectionPath(nameOf(object))
    const created = await api.send('POST', collection, object)
    if (created.status < 300) return undefined
    if (created.status !== 409 && created.status !== 422) return refusal('POST', collection, created)
    if (created.status === 409 && options.retain) return undefined
    const path = objectPath(nameOf(object))
    const existing = await api.get(path)
    // A Service that exists is called invalid, for its address is taken: by itself.
    if (created.status === 422 && existing === undefined) return refusal('POST', collection, created)
    const replaced = await api.send('PUT', path, withVersion(object, existing))
    return replaced.status < 300 ? undefined : refusal('PUT', path, replaced)
  })
}

/** Patches an object with a strategic merge patch, once it exists. Throws an ApiError. */
export async function patchObject(api: Api, path: string, patch: JsonObject, deadline: AbortSignal): Promise<void> {
  await persist(deadline, async () => {
    const answer = await api.send('PATCH', path, patch, 'application/strategic-merge-patch+json')
    return answer.status < 300 ? undefined : refusal('PATCH', path, answer)
  })
}

// A Service's address cannot be changed or left out on update, so carry over what the server has filled in.
function withVersion(object: JsonObject, existing: JsonObject | undefined): JsonObject {
  const { resourceVersion } = (existing?.metadata ?? {}) as JsonObject
  const metadata = { ...(object.metadata as JsonObject), ...(resourceVersion !== undefined && { resourceVersion }) }
  return { ...object, metadata }
}

/** Statuses that more time does not fix. */
const FINAL: readonly number[] = [400, 401, 405, 415]

/**
 * How long an object may be called invalid: a Service with a fixed address is, as long as a fresh API server has not
 * set up its ranges ("the provided network does not match the current range").
 */
const INVALID_LIMIT_MS = 15_000

/** Tries until `attempt` gives no error. Throws the last one when it is final or the deadline has passed. */
async function persist(deadline: AbortSignal, attempt: () => Promise<ApiError | undefined>): Promise<void> {
  let invalidSince: number | undefined
  let isUnanswered = false
  for (;;) {
    const error = await attempt().catch((thrown: unknown) => {
      if (thrown instanceof ApiError) return thrown
      throw thrown
    })
    if (error === undefined) return
    isUnanswered ||= error.status === 0
    if (error.status === 422) invalidSince ??= performance.now()
    // A request that got no answer may have taken the address of a Service, until it is freed minutes later.
    const isInvalid = invalidSince !== undefined && performance.now() - invalidSince > INVALID_LIMIT_MS && !isUnanswered
    const isFinal = FINAL.includes(error.status) || (error.status === 422 && isInvalid)
    if (deadline.aborted || isFinal) throw error
    await sleep(RETRY_MS)
  }
}
