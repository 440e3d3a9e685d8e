/**
 * The tree of a dry run: a folder of its own that stands for a machine, with a record of what each command wrote there.
 * A command that comes again makes its part anew, and takes away what it no longer writes; what others wrote it reads.
 */
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { KUBERNETES, LAYOUT } from '../base/paths.ts'
import { explain, type FileEntry, readFile, removeFiles, removeFolder, writeFiles } from './files.ts'

/** The record, where kubestep has its things on a machine too. */
const RECORD = `${LAYOUT.state}/dry-run.json`

/** Paths on the host that each command wrote, e.g. of `init` or `certs all`. */
type Parts = Readonly<Record<string, readonly string[]>>

export interface Tree {
  readonly folder: string
  /** What other commands wrote, and this run of this one; a part that is made again counts as absent. */
  readonly read: (path: string) => string | undefined
  /** Writes all or none, and takes away what an earlier run of this command wrote and this one does not. */
  readonly write: (entries: readonly FileEntry[]) => void
}

export interface TreeOptions {
  /** The command that writes. */
  readonly command: string
  /** Whether it writes the whole tree, so that nothing of an earlier one is left. */
  readonly whole: boolean
}

/**
 * Opens the tree in a folder, which need not be there yet. Throws a KubestepError when somebody else's things are in it,
 * or when it is this very machine.
 */
export function openTree(folder: string, { command, whole }: TreeOptions): Tree {
  const fault = machineFault(folder) ?? strangerFault(folder)
  if (fault !== undefined) {
    throw new KubestepError(`${command.split(' ')[0]}: cannot write a dry run to "${folder}": ${fault}`)
  }
  const known = readParts(folder)
  const others = Object.fromEntries(Object.entries(known).filter(([name]) => name !== command && !whole))
  const kept = new Set(Object.values(others).flat())
  const written = new Set<string>()
  return {
    folder,
    read: path => (kept.has(path) || written.has(path) ? readFile(folder, path) : undefined),
    write: entries => {
      refuseLinks(folder, entries)
      for (const { path } of entries) written.add(path)
      const record = `${JSON.stringify({ parts: { ...others, [command]: [...written].sort() } }, null, 2)}\n`
      writeFiles(folder, [...entries, { path: RECORD, mode: 0o600, content: record }])
      const stale = Object.values(known)
        .flat()
        .filter(path => !kept.has(path) && !written.has(path))
      removeFiles(folder, stale)
      for (const path of stale) removeEmptied(folder, dirname(path))
    },
  }
}

/** Folders in which this machine's own cluster lives. */
const LIVE: readonly string[] = [KUBERNETES.folder, KUBERNETES.kubelet]

const ANOTHER = 'name a new folder, as in --output-dir ./tree'

/** Why a folder is this machine's own; undefined when it is none of it. */
function machineFault(folder: string): string | undefined {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) return undefined
  const real = existsSync(folder) ? realpathSync(folder) : folder
  if (isSame(real, '/')) return `that is this machine itself; ${ANOTHER}`
  const within = LIVE.find(path => existsSync(path) && `${real}${sep}`.startsWith(`${realpathSync(path)}${sep}`))
  if (within !== undefined) return `${within} is this machine's own; ${ANOTHER}`
  const live = LIVE.find(path => isSame(join(real, path), path))
  return live === undefined ? undefined : `"${join(folder, live)}" is this machine's own; ${ANOTHER}`
}

// The same folder may have many names: links, mounts, /proc/self/root.
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map(path => statSync(path, { throwIfNoEntry: false }))
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev
}

/** Why a folder cannot be taken for a tree; undefined when it is empty, not there, or a tree already. */
function strangerFault(folder: string): string | undefined {
  try {
    if (!existsSync(folder) || existsSync(join(folder, RECORD))) return undefined
    const [first] = readdirSync(folder)
    return first === undefined
      ? undefined
      : `it is not empty, and no dry run of kubestep made it (there is ${JSON.stringify(first)}); ${ANOTHER}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOTDIR' ? `it is a file; ${ANOTHER}` : explain(error)
  }
}

function readParts(folder: string): Parts {
  const text = readFile(folder, RECORD)
  if (text === undefined) return {}
  try {
    return (JSON.parse(text) as { parts: Parts }).parts
  } catch (error) {
    throw new KubestepError(`files: cannot read "${join(folder, RECORD)}": it is damaged; ${ANOTHER}`, { cause: error })
  }
}

// A link inside would lead out of the tree.
function refuseLinks(folder: string, entries: readonly FileEntry[]): void {
  for (const top of new Set(entries.map(({ path }) => path.split('/')[1] ?? ''))) {
    const there = lstatSync(join(folder, top), { throwIfNoEntry: false })
    if (there?.isSymbolicLink() !== true) continue
    throw new KubestepError(`files: cannot write below "${join(folder, top)}": it is a link; ${ANOTHER}`)
  }
}

function removeEmptied(folder: string, path: string): void {
  if (path === '/' || !existsSync(join(folder, path)) || readdirSync(join(folder, path)).length > 0) return
  removeFolder(folder, path)
  removeEmptied(folder, dirname(path))
}
