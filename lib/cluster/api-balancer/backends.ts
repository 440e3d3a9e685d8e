/** API servers behind one address, and how each of them is: pure. */
import { type JsonObject, objectsOf } from '../../base/json.ts'

export interface Backend {
  readonly host: string
  readonly port: number
}

export interface BackendState extends Backend {
  /** How often in a row it was not ready when it was asked; one that nobody has asked yet is taken for ready. */
  readonly misses: number
}

/** So often in a row not ready: what is connected to it goes, too. A server that is frozen keeps its clients waiting. */
const LOST = 2

/** The same backends with what is known of them; those that are new have nothing against them. */
export function knownStates(backends: readonly Backend[], states: readonly BackendState[]): BackendState[] {
  return backends.map(backend => states.find(state => isSame(state, backend)) ?? { ...backend, misses: 0 })
}

/** States after one of them was asked. */
export function asked(states: readonly BackendState[], backend: Backend, isReady: boolean): BackendState[] {
  return states.map(state => (isSame(state, backend) ? { ...state, misses: isReady ? 0 : state.misses + 1 } : state))
}

/** Whom a new connection is tried with, in this order: those that are ready in turn, and only then the others. */
export function candidates(states: readonly BackendState[], turn: number): Backend[] {
  const ready = states.filter(({ misses }) => misses === 0)
  const start = ready.length === 0 ? 0 : turn % ready.length
  const others = states.filter(({ misses }) => misses > 0).toSorted((a, b) => a.misses - b.misses)
  return [...ready.slice(start), ...ready.slice(0, start), ...others].map(({ host, port }) => ({ host, port }))
}

/** Those whose connections have to go. As long as no other is ready all are kept: that is an election, not a failure. */
export function lost(states: readonly BackendState[]): Backend[] {
  if (states.every(({ misses }) => misses > 0)) return []
  return states.filter(({ misses }) => misses >= LOST).map(({ host, port }) => ({ host, port }))
}

/** The API servers that Endpoints default/kubernetes names: each writes itself there, and is dropped soon after it ends. */
export function serversIn({ subsets }: JsonObject): Backend[] {
  return objectsOf(subsets).flatMap(({ addresses, ports }) => {
    const port = objectsOf(ports).find(({ name }) => name === 'https')?.port
    return objectsOf(addresses).flatMap(({ ip }) =>
      typeof ip === 'string' && typeof port === 'number' ? [{ host: ip, port }] : [],
    )
  })
}

/** Each once, where it comes first. */
export function distinct(backends: readonly Backend[]): Backend[] {
  return backends.filter((backend, index) => backends.findIndex(other => isSame(other, backend)) === index)
}

export function isSame(a: Backend, b: Backend): boolean {
  return a.host === b.host && a.port === b.port
}
