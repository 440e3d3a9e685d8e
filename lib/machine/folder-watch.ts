/** Watching folders that come and go. */
import { type FSWatcher, statSync, watch } from 'node:fs'

/** Deno (2.5) stands still when it is to watch a folder in the place of one that went. */
const WATCHES_AGAIN = !('deno' in process.versions)

/**
 * Gives a function that says which folders are watched from now on, besides those before; one that is not there is left
 * out. `onChange` is called whenever something in one of them changes, until `signal` ends it. Throws what the kernel has
 * against it.
 */
export function folderWatch(onChange: () => void, signal: AbortSignal): (folders: readonly string[]) => void {
  const watched = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>()
  return folders => {
    for (const folder of folders) {
      const identity = identityOf(folder)
      const before = watched.get(folder)
      if (identity === undefined || identity === before?.identity || (before !== undefined && !WATCHES_AGAIN)) continue
      before?.watcher.close()
      watched.set(folder, { identity, watcher: watch(folder, { signal, persistent: false }, onChange) })
    }
  }
}

/** One that was made anew is another one, and may have the number of the old; undefined for none. */
function identityOf(folder: string): string | undefined {
  const stat = statSync(folder, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.dev} ${stat.ino} ${stat.birthtimeMs}`
}
