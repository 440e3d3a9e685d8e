/**
 * Binaries and images across runs, in the cache of the workflow, as an artifacts folder. What talks to that service
 * is a bundle of its own, started only when there is one. Whatever goes wrong here is no reason to fail.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { architecture } from '../components/platform.ts'
import { bundle, type Ended, run } from './root.ts'

/** Options of init that decide which components there are. */
const DECIDING = /^--(config|kubernetes-version|image-repository)=/
const FETCHING = /^--mirror=/

export interface Cached {
  /** Key of the entry; undefined when nothing could be found out. */
  readonly key?: string
  readonly hit: boolean
  /** Folder with everything; undefined when init has to fetch for itself. */
  readonly artifacts?: string
}

/** A cache that takes longer than that costs more than it gives. */
const SAVE_LIMIT_MS = 5 * 60_000

type Say = (line: string) => void

/** Gets the components for a call of init from the cache, else from where they are published, into `folder`. */
export async function cachedComponents(
  initFlags: readonly string[],
  folder: string,
  budgetMs: number,
  say: Say,
): Promise<Cached> {
  const deciding = initFlags.filter(flag => DECIDING.test(flag))
  const listed = await run(bundle('action-cache', 'images', 'list', ...deciding))
  // What is wrong with the flags, init says better.
  if (listed.status !== 0) return { hit: false }
  const key = cacheKey(listed.stdout.trim().split('\n'))
  const isComplete = (): boolean => existsSync(join(folder, 'bin', 'kubelet'))
  const restored = await service('restore', key, folder, budgetMs / 2, say)
  if (restored.status === 0 && isComplete()) return { key, hit: true, artifacts: folder }
  const fetching = initFlags.filter(flag => FETCHING.test(flag))
  const fetched = await run(bundle('action-cache', 'bundle', ...deciding, ...fetching, `--output-dir=${folder}`), {
    timeoutMs: budgetMs / 2,
    onOut: say,
    onError: say,
  })
  return fetched.status === 0 && isComplete() ? { key, hit: false, artifacts: folder } : { hit: false }
}

/** Puts a folder into the cache; gives whether that worked. */
export async function saveComponents(key: string, folder: string, say: Say): Promise<boolean> {
  if (!existsSync(folder)) return false
  return (await service('save', key, folder, SAVE_LIMIT_MS, say)).status === 0
}

// The client counts the path among what an entry is: a relative one is the same on every runner.
function service(verb: 'restore' | 'save', key: string, folder: string, timeoutMs: number, say: Say): Promise<Ended> {
  const parent = dirname(folder)
  mkdirSync(parent, { recursive: true })
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
const LAYOUT_VERSION = 1
const DIGITS = 16

/** Names the components by what they are: architecture, version, and all images with their tags. */
export function cacheKey(images: readonly string[], arch: string = architecture()): string {
  const version = images.map(image => /kube-apiserver:(\S+)$/.exec(image)?.[1]).find(Boolean) ?? 'unknown'
  const digest = createHash('sha256')
    .update([...images].sort().join('\n'))
    .digest('hex')
    .slice(0, DIGITS)
  return `kubestep-${LAYOUT_VERSION}-linux-${arch}-${version}-${digest}`
}
