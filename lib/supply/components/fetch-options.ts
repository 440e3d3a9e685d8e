/** What the flags of a script say about fetching. */
import { resolve } from 'node:path'
import type { Flags } from '../../cli/options.ts'
import { defaultCacheDir } from '../fetch/cache-store.ts'
import type { OnProgress } from '../fetch/fetch-progress.ts'
import type { Fetching } from './fetch-components.ts'

/** Options of every script that fetches. */
export const FETCH_OPTIONS = ['mirror', 'cache-dir', 'lock', 'offline'] as const

/** The folder that --cache-dir names, or the usual one of this user. */
export function cacheDirOf(flags: Flags): string {
  return resolve(flags['cache-dir'] ?? defaultCacheDir(process.env, process.getuid?.() === 0))
}

/** From flags to what is done with them; `deadline` ends all of it. */
export function fetchingOf(flags: Flags, deadline: AbortSignal, onProgress: OnProgress): Fetching {
  const { mirror, lock, offline } = flags
  return {
    cacheDir: cacheDirOf(flags),
    deadline,
    onProgress,
    ...(mirror !== undefined && { mirror }),
    ...(lock !== undefined && { lock: resolve(lock) }),
    ...(offline !== undefined && { offline }),
  }
}
