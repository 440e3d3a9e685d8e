/**
 * Follows the objects of a collection: a list, and then whatever changes, for as long as it is wanted. A connection
 * that breaks is made again, where it was.
 * Source: Kubernetes API concepts, "Efficient detection of changes"; client-go tools/cache/reflector.go (v1.36).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { type Api, ApiError } from './api-client.ts'

export interface Watch<T> {
  /** Path of the collection, e.g. `/api/v1/nodes`; it may have a query. */
  readonly collection: string
  /** What is wanted of an object: that alone stays in memory. */
  readonly keep: (object: JsonObject) => T
  /** Gets everything that there is, after the list and after each change; never called while it still runs. */
  readonly onState: (objects: readonly T[]) => Promise<void>
  /** Hears why it has to be tried again. */
  readonly onFault: (reason: string) => void
}

/** Gone: what came after that version is no longer known, so a new list has to be made. */
const EXPIRED = 410

/** What comes at once is in memory several times, as text and as objects. */
const PAGE = 100

const RETRY_MS = { first: 100, most: 5000 } as const

/** Follows until `signal` ends it. `open` is called for each connection, so that renewed credentials count. */
export async function follow<T>(open: () => Api, watch: Watch<T>, signal: AbortSignal): Promise<void> {
  const state = new Map<string, T>()
  const tell = newest(() => watch.onState([...state.values()]), watch.onFault, signal)
  let version: string | undefined
  let wait: number = RETRY_MS.first
  while (!signal.aborted) {
    let api: Api | undefined
    try {
      api = open()
      if (version === undefined) {
        version = await list(api, watch, state)
        tell()
      }
      await api.lines(
        withQuery(watch.collection, `watch=1&allowWatchBookmarks=true&resourceVersion=${version}`),
        line => {
          const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: JsonObject }
          if (type === 'ERROR') throw new ApiError(`api: the watch ended: ${object.message}`, Number(object.code))
          version = String(metadataOf(object).resourceVersion)
          wait = RETRY_MS.first
          if (type === 'BOOKMARK') return
          if (type === 'DELETED') state.delete(idOf(object))
          else state.set(idOf(object), watch.keep(object))
          tell()
        },
        signal,
      )
    } catch (error) {
      if (error instanceof ApiError && error.status === EXPIRED) version = undefined
      if (signal.aborted) break
      watch.onFault(reasonOf(error))
    } finally {
      api?.close()
    }
    await pause(wait, signal)
    wait = Math.min(wait * 2, RETRY_MS.most)
  }
}

/** Fills the state with everything there is; gives the version from which changes count. */
async function list<T>(api: Api, { collection, keep }: Watch<T>, state: Map<string, T>): Promise<string> {
  state.clear()
  let next = ''
  for (;;) {
    const page = await api.get(withQuery(collection, `limit=${PAGE}${next}`))
    for (const item of Array.isArray(page?.items) ? page.items : []) {
      if (isObject(item)) state.set(idOf(item), keep(item))
    }
    const metadata = metadataOf(page ?? {})
    if (typeof metadata.continue !== 'string' || metadata.continue === '') return String(metadata.resourceVersion ?? '')
    next = `&continue=${encodeURIComponent(metadata.continue)}`
  }
}

/** Calls `work` after each request, once for all that came while it ran; again after a while when it fails. */
export function newest(work: () => Promise<void>, onFault: (reason: string) => void, signal: AbortSignal): () => void {
  let isWanted = false
  let isRunning = false
  const run = async (): Promise<void> => {
    isRunning = true
    while (isWanted && !signal.aborted) {
      isWanted = false
      try {
        await work()
      } catch (error) {
        onFault(reasonOf(error))
        await pause(RETRY_MS.most, signal)
        isWanted = true
      }
    }
    isRunning = false
  }
  return () => {
    isWanted = true
    if (!isRunning) void run()
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

function withQuery(path: string, query: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

function metadataOf(object: JsonObject): JsonObject {
  return isObject(object.metadata) ? object.metadata : {}
}

function idOf(object: JsonObject): string {
  const { namespace, name } = metadataOf(object)
  return `${namespace ?? ''}/${name}`
}
