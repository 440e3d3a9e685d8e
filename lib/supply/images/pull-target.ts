/** Which runtime images are pulled into. */

import { existsSync } from 'node:fs'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { openRuntime, type Runtime } from '../runtime/runtime.ts'
import { socketUrl } from '../runtime/runtime-choice.ts'

export interface FoundRuntime {
  /** undefined when none serves CRI. */
  readonly runtime?: Runtime
  /** Why sockets that are there were passed over. */
  readonly passed: readonly string[]
}

/**
 * The runtime at a socket that was asked for, which has to work; else that of a cluster of ours, else the first of
 * the `known` sockets that really serves CRI. Throws a KubestepError.
 */
export async function findRuntime(wanted: string | undefined, known: readonly string[]): Promise<FoundRuntime> {
  const own = LAYOUT.containerd.url
  if (wanted !== undefined) {
    const socket = socketUrl(wanted)
    return { runtime: await openRuntime(socket, socket === own), passed: [] }
  }
  const passed: string[] = []
  for (const socket of new Set([own, ...known])) {
    if (!existsSync(socket.replace(/^unix:\/\//, ''))) continue
    try {
      return { runtime: await openRuntime(socket, socket === own), passed }
    } catch (error) {
      if (!(error instanceof KubestepError)) throw error
      passed.push(reasonOf(error))
    }
  }
  return { passed }
}
