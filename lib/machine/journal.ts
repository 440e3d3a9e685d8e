/**
 * The record of what was changed on the machine, so that reset undoes exactly that. A change is on disk before
 * it is made: after a kill at any moment the record names everything that can have happened, in order.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { explain, writeFiles } from './files.ts'
import type { PodGroups } from './host/cgroups.ts'
import { type PreparedChange, preparedSubject } from './host-change.ts'

/** One change, with what is needed to undo it. */
export type Change =
  /** A file written; `before` is its former content in base64, null when there was none. */
  | { readonly kind: 'file'; readonly path: string; readonly before: string | null; readonly mode: number }
  /** A folder that did not exist before and is ours with all that is in it. */
  | { readonly kind: 'tree'; readonly path: string }
  /**
   * A folder that was there with these names in it; what has come since is ours. Where others work too, `only` is
   * the regular expression of a cluster's names.
   */
  | {
      readonly kind: 'contents'
      readonly path: string
      readonly before: readonly string[]
      readonly only?: string
      /** They are network namespaces: one in which a process lives is somebody else's. */
      readonly idle?: true
    }
  /** A folder that did not exist before and in which others may work: goes when there is nothing in it. */
  | { readonly kind: 'empty'; readonly path: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'sysctl'; readonly key: string; readonly before: string }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'mount'; readonly path: string }
  /**
   * Pods run by a runtime; `ours` when the runtime itself is. Sandboxes and control groups that were there before stay.
   * `network` is the folder of what somebody else's knows of CNI: without that no Pod goes.
   */
  | {
      readonly kind: 'runtime'
      readonly socket: string
      readonly ours: boolean
      readonly sandboxes: readonly string[]
      readonly groups?: PodGroups
      readonly network?: string
    }
  /** A name that the image `of` gets in somebody else's runtime. */
  | { readonly kind: 'image'; readonly socket: string; readonly name: string; readonly of: string }
  /**
   * Here an init began: what follows is its own, and goes when it is run again. What phases did before stays then.
   * `owner` says whose it is, where somebody cares.
   */
  | { readonly kind: 'init'; readonly owner?: string }
  /** Network interfaces, firewall rules and kube-proxy's other things that a cluster makes; what was there before stays. */
  | {
      readonly kind: 'network'
      readonly links: readonly string[]
      readonly chains: readonly string[]
      readonly others?: readonly string[]
    }
  /** Further nodes on this machine: all that runs in them, and how they are connected. */
  | { readonly kind: 'nodes'; readonly path: string }
  | PreparedChange

export interface Journal {
  readonly path: string
  /** Everything recorded so far, oldest first. */
  readonly changes: () => readonly Change[]
  /** Writes changes down, all at once; one that is there since the init began is not repeated. */
  readonly record: (...changes: readonly Change[]) => void
  /** Forgets all but the oldest changes: after those that followed were undone. None, when left out. */
  readonly clear: (kept?: number) => void
  /** Holds these changes and no others from now on; without any the record is gone. */
  readonly keep: (changes: readonly Change[]) => void
}

/** Opens (or begins) the record at a path. Throws a KubestepError when it is damaged other than at its end. */
export function openJournal(path: string): Journal {
  const known = readChanges(path)
  return {
    path,
    changes: () => known,
    record: (...changes) => {
      const fresh: Change[] = []
      for (const change of changes) {
        if (!currentOf([...known, ...fresh]).some(other => isSame(other, change))) fresh.push(change)
      }
      if (fresh.length > 0) append(path, fresh)
      known.push(...fresh)
    },
    clear: (kept = 0) => {
      known.length = Math.min(kept, known.length)
      if (known.length > 0) truncateSync(path, Buffer.byteLength(linesOf(known)))
      else remove(path)
    },
    keep: changes => {
      const kept = [...changes]
      if (kept.length > 0) writeFiles('/', [{ path, mode: 0o600, content: linesOf(kept) }])
      else remove(path)
      known.splice(0, known.length, ...kept)
    },
  }
}

// What an init changes goes back to what phases had made before it, and only with those to what was before them.
function currentOf(changes: readonly Change[]): readonly Change[] {
  return changes.slice(Math.max(0, changes.map(({ kind }) => kind).lastIndexOf('init')))
}

// The first record of a path or key holds what was there before us; later ones would hold our own doing.
function isSame(a: Change, b: Change): boolean {
  return a.kind === b.kind && subject(a) === subject(b)
}

function subject(change: Change): string {
  switch (change.kind) {
    case 'file':
    case 'tree':
    case 'contents':
    case 'empty':
    case 'mount':
    case 'nodes':
      return change.path
    case 'service':
    case 'module':
      return change.name
    case 'sysctl':
      return change.key
    case 'runtime':
      return change.socket
    case 'image':
      return `${change.socket} ${change.name}`
    case 'network':
    case 'init':
      return ''
    default:
      return preparedSubject(change)
  }
}

function linesOf(changes: readonly Change[]): string {
  return changes.map(change => `${JSON.stringify(change)}\n`).join('')
}

function remove(path: string): void {
  rmSync(path, { force: true })
  try {
    // Made for the journal, where no init has filled it.
    rmdirSync(dirname(path))
  } catch {
    // There is more in it.
  }
}

function append(path: string, changes: readonly Change[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const file = openSync(path, 'a', 0o600)
    try {
      writeSync(file, linesOf(changes))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new KubestepError(`journal: cannot write "${path}": ${explain(error)}; nothing was changed`, { cause: error })
  }
}

function readChanges(path: string): Change[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new KubestepError(`journal: cannot read "${path}": ${explain(error)}`, { cause: error })
  }
  // A line without its newline was cut by a kill or a full disk: its change was never made.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return JSON.parse(line) as Change
      } catch (error) {
        throw new KubestepError(
          `journal: cannot read "${path}" line ${index + 1}: it is damaged; remove that line and reset again`,
          { cause: error },
        )
      }
    })
}
