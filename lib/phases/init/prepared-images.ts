/** Images of an earlier init for a runtime of our own: it begins with them, and leaves its own to the next. */
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { archiveIdentity } from '../../supply/fetch/archive-identity.ts'
import { imageIds } from '../../supply/runtime/import-archives.ts'
import { keepPrepared } from '../../supply/runtime/keep-runtime.ts'
import {
  bestPrepared,
  layOut,
  mayKeepIn,
  type Prepared,
  preparedAt,
  preparedIn,
  RECORD,
} from '../../supply/runtime/prepared-runtime.ts'
import { askContainerd } from '../../supply/runtime/private-runtime.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'

export interface PreparedRuntime {
  readonly runtime: Runtime
  /** Archives that are not in it yet. */
  readonly archives: readonly string[]
  /**
   * Keeps its images for the next init, `images` being the ids of all by name, `archives` what they came in; gives the
   * folder, or undefined when there is nothing new. Throws a KubestepError or what the system says.
   */
  readonly keep: (images: Readonly<Record<string, string>>, archives: readonly string[]) => Promise<string | undefined>
}

/**
 * Opens a private runtime with what the cache has of these archives. One that turns out to be damaged is removed, and
 * the runtime begins empty. Throws what `open` throws.
 */
export async function openPrepared(
  open: () => Promise<Runtime>,
  archives: readonly string[],
  cacheDir: string,
  containerdSays?: string,
): Promise<PreparedRuntime> {
  const [identities, containerd] = await Promise.all([
    Promise.all(archives.map(archiveIdentity)),
    containerdSays ?? askContainerd(),
  ])
  const identity = new Map(archives.map((archive, index) => [archive, identities[index] ?? '']))
  const given = preparedAt(LAYOUT.containerd.root)
  const found = given ?? bestPrepared(preparedIn(cacheDir), containerd, identities)
  const laid = given ?? (found !== undefined && (await layOut(found, LAYOUT.containerd.root)) ? found : undefined)
  if (found !== undefined && laid === undefined) forget(found)
  const runtime = await open().catch(async (error: unknown) => {
    if (laid === undefined) throw error
    forget(laid)
    rmSync(LAYOUT.containerd.root, { recursive: true, force: true })
    return open()
  })
  const isProven = laid !== undefined && (await proves(runtime, laid))
  if (laid !== undefined && !isProven) forget(laid)
  const left = isProven ? archives.filter(archive => !laid.archives.includes(identity.get(archive) ?? '')) : archives
  return {
    runtime,
    archives: left,
    keep: async (images, loaded) => {
      const all = await Promise.all(loaded.map(async archive => identity.get(archive) ?? archiveIdentity(archive)))
      const isKept = isProven && all.every(one => laid.archives.includes(one))
      // In somebody else's folder nobody would believe it.
      if (isKept || all.length === 0 || !mayKeepIn(cacheDir)) return undefined
      return keepPrepared({ cacheDir, root: LAYOUT.containerd.root, containerd, archives: all, images })
    },
  }
}

/**
 * Gives a runtime that will begin later, at another root, what the cache has of these archives; gives whether it did.
 * A link leads to no other mount, so this is for who sees both.
 */
export async function givePrepared(archives: readonly string[], cacheDir: string, root: string): Promise<boolean> {
  const [identities, containerd] = await Promise.all([Promise.all(archives.map(archiveIdentity)), askContainerd()])
  const found = bestPrepared(preparedIn(cacheDir), containerd, identities)
  if (found === undefined || !(await layOut(found, root))) return false
  copyFileSync(join(found.folder, RECORD), join(root, RECORD))
  return true
}

function forget({ folder }: Prepared): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Whether the runtime has every image that the record names, with its id. */
async function proves(runtime: Runtime, { images }: Prepared): Promise<boolean> {
  const present = await imageIds(runtime.cri)
  return Object.entries(images).every(([name, id]) => present[name] === id)
}
