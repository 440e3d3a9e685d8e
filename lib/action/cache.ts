/**
 * Binaries and images across runs: the cache folder of init, kept in the cache of the workflow. Whoever can write there
 * could have put anything in, so nothing in it that says of itself what it is comes along, and init holds each file against
 * the lock or its source; what is missing it fetches. What talks to the service is a bundle
 * of its own, started only when there is one. Whatever goes wrong here is no reason to fail.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { architecture } from '../base/platform.ts'
import { CNI_PLUGINS } from '../supply/components/component-table.ts'
import { listNames } from '../supply/fetch/cache-store.ts'
import { bundle, type Ended, run, runAsRoot } from './run-as-root.ts'

/** Options of init that decide which components there are. */
const DECIDING = /^--(config|kubernetes-version|image-repository|mirror)=/

export interface Restored {
  /** Key of the entry; undefined when nothing could be found out. */
  readonly key?: string
  readonly hit: boolean
}

/** A cache that takes longer than that costs more than it gives. */
const SAVE_LIMIT_MS = 5 * 60_000

type Say = (line: string) => void

/** Fills the cache folder of an init that is called with these flags; within the budget, half of it for each step. */
export async function restoreComponents(
  initFlags: readonly string[],
  folder: string,
  budgetMs: number,
  say: Say,
): Promise<Restored> {
  mkdirSync(folder, { recursive: true })
  const deciding = initFlags.filter(flag => DECIDING.test(flag))
  const listed = await run(bundle('init', '--list-images', ...deciding, `--cache-dir=${folder}`), {
    timeoutMs: budgetMs / 2,
  })
  // What is wrong with the flags, init says better.
  if (listed.status !== 0) return { hit: false }
  const key = cacheKey(listed.stdout.trim().split('\n'))
  const { status } = await service('restore', key, folder, budgetMs / 2, say)
  return { key, hit: status === 0 }
}

/** Puts the folder into the cache, within the budget; gives whether that worked. */
export async function saveComponents(key: string, folder: string, budgetMs: number, say: Say): Promise<boolean> {
  if (listNames(folder).length === 0) return false
  const { status } = await service('save', key, folder, Math.min(budgetMs, SAVE_LIMIT_MS), say)
  return status === 0
}

/** Removes the folder: what root has put there, the runner could not clear away. */
export async function removeComponents(folder: string): Promise<void> {
  await runAsRoot(['rm', '-rf', folder])
}

// The client counts the path among what an entry is: a relative one is the same on every runner.
function service(verb: 'restore' | 'save', key: string, folder: string, timeoutMs: number, say: Say): Promise<Ended> {
  const parent = dirname(folder)
  return run(bundle('action-cache', verb, key, basename(folder)), {
    cwd: parent,
    timeoutMs,
    environment: { GITHUB_WORKSPACE: parent },
    onOut: line => say(asText(line)),
    onError: say,
  })
}

/** A line of the client as plain text: its commands are for a step of its own, and a cache is no cause for annotations. */
function asText(line: string): string {
  return line.replace(/^::\w+[^:]*::/, '')
}

/** Changes when the layout of the folder does. */
const LAYOUT_VERSION = 2
const DIGITS = 16

/** Names the components by what they are: architecture, version, all images with their tags, the CNI plugins. */
export function cacheKey(images: readonly string[], arch: string = architecture()): string {
  const version = images.map(image => /kube-apiserver:(\S+)$/.exec(image)?.[1]).find(Boolean) ?? 'unknown'
  const named = [...images].sort().concat(JSON.stringify(CNI_PLUGINS))
  const digest = createHash('sha256').update(named.join('\n')).digest('hex').slice(0, DIGITS)
  return `kubestep-${LAYOUT_VERSION}-linux-${arch}-${version}-${digest}`
}
