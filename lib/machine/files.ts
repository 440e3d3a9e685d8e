/**
 * The one place that touches files. Every file is written whole or not at all: into a sibling that has
 * its final mode from birth, then renamed. Paths in entries are the ones on the host; `root` says below
 * which folder they really lie.
 */

import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { KubestepError, reasonOf } from '../base/errors.ts'
import { KUBERNETES } from '../base/paths.ts'

/** A file to be written. */
export interface FileEntry {
  /** Absolute path on the host, e.g. `/etc/kubernetes/pki/ca.crt`. */
  readonly path: string
  /** Permission bits, e.g. 0o600. */
  readonly mode: number
  readonly content: string | Uint8Array
}

/** Mode of folders that have to be made on the way, by path prefix; kubeadm's own. */
const DIRECTORY_MODES: readonly (readonly [path: string, mode: number])[] = [
  [KUBERNETES.manifests, 0o700],
  [KUBERNETES.kubelet, 0o700],
]

/** Where a path of the host lies below `root`. */
export function below(root: string, path: string): string {
  return root === '/' ? path : join(root, path)
}

/** Whether a file can be read, or is not there at all. */
export function mayRead(root: string, path: string): boolean {
  try {
    accessSync(below(root, path), constants.R_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** The content of a file, or undefined when there is none. Throws a KubestepError for anything else that goes wrong. */
export function readFile(root: string, path: string): string | undefined {
  const file = below(root, path)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new KubestepError(`files: cannot read "${file}": ${explain(error)}`, { cause: error })
  }
}

/** Paths of all files below a folder, relative to it, sorted; undefined when there is no such folder. */
export function listFiles(folder: string): string[] | undefined {
  const entries = listFolder('/', folder)
  return entries
    ?.flatMap(name => {
      const path = `${folder}/${name}`
      if (!statSync(path).isDirectory()) return [name]
      return (listFiles(path) ?? []).map(inner => `${name}/${inner}`)
    })
    .sort()
}

/** The text of a file, empty when it cannot be read: for /proc and the like, where that says as much as its absence. */
export function readTextOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** The names in a folder, sorted; undefined when there is no such folder. */
export function listFolder(root: string, path: string): string[] | undefined {
  const folder = below(root, path)
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new KubestepError(`files: cannot list "${folder}": ${explain(error)}`, { cause: error })
  }
}

/**
 * Writes all entries, or none of them: each goes into a sibling file with its final mode, and only when all
 * of these are on disk are they renamed into place. On failure the siblings and the folders made are removed.
 * A file that is there already, with that content and mode, is not touched.
 */
export function writeFiles(root: string, entries: readonly FileEntry[]): void {
  const staged: { readonly temporary: string; readonly final: string }[] = []
  const folders: string[] = []
  try {
    for (const entry of entries) {
      if (isWritten(root, entry)) continue
      const final = below(root, entry.path)
      makeFolder(root, dirname(entry.path), folders)
      if (existsSync(final) && lstatSync(final).isDirectory()) {
        throw new KubestepError(`files: cannot write "${final}": it is a folder; move it away`)
      }
      // A kubelet that watches the folder reads every file whose name does not begin with a dot.
      const temporary = join(dirname(final), `.${basename(final)}.${randomBytes(6).toString('hex')}.tmp`)
      staged.push({ temporary, final })
      stage(temporary, entry)
    }
  } catch (error) {
    for (const { temporary } of staged) rmSync(temporary, { force: true })
    for (const folder of folders.reverse()) removeIfEmpty(folder)
    if (error instanceof KubestepError) throw error
    const last = staged.at(-1)?.final ?? root
    throw new KubestepError(`files: cannot write "${last}": ${explain(error)}; nothing was written`, { cause: error })
  }
  for (const { temporary, final } of staged) renameSync(temporary, final)
}

/** Makes a folder with exactly that mode, and what leads to it; one that is there stays as it is. Throws a KubestepError. */
export function makeOwnFolder(root: string, path: string, mode: number): void {
  if (existsSync(below(root, path))) return
  try {
    makeFolder(root, dirname(path), [])
    mkdirSync(below(root, path), { mode })
    chmodSync(below(root, path), mode)
  } catch (error) {
    throw new KubestepError(`files: cannot make the folder "${below(root, path)}": ${explain(error)}`, { cause: error })
  }
}

/**
 * Gives a file of somebody else's a new text; its mode and owner stay, and a link to it still leads to it.
 * Throws a KubestepError.
 */
export function rewriteFile(root: string, path: string, text: string): void {
  const given = below(root, path)
  try {
    const file = realpathSync(given)
    const { mode, uid, gid } = statSync(file)
    const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      stage(temporary, { path, mode: mode & 0o7777, content: text })
      chownSync(temporary, uid, gid)
      renameSync(temporary, file)
    } catch (error) {
      rmSync(temporary, { force: true })
      // A container has its /etc/hosts mounted: nothing can take its place.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
      writeFileSync(file, text)
    }
  } catch (error) {
    throw new KubestepError(`files: cannot write "${given}": ${explain(error)}`, { cause: error })
  }
}

/** Removes a folder if nothing is in it. */
export function removeFolder(root: string, path: string): void {
  removeIfEmpty(below(root, path))
}

/** Makes a symbolic link, in place of whatever has that name. */
export function writeLink(root: string, path: string, target: string): void {
  const link = below(root, path)
  const temporary = `${link}.${randomBytes(6).toString('hex')}.tmp`
  symlinkSync(target, temporary)
  renameSync(temporary, link)
}

/** Removes files; what is not there counts as removed. */
export function removeFiles(root: string, paths: readonly string[]): void {
  for (const path of paths) rmSync(below(root, path), { force: true })
}

function isWritten(root: string, { path, mode, content }: FileEntry): boolean {
  const file = below(root, path)
  const there = lstatSync(file, { throwIfNoEntry: false })
  if (!there?.isFile() || (there.mode & 0o7777) !== mode) return false
  return readFileSync(file).equals(Buffer.from(content))
}

function stage(temporary: string, entry: FileEntry): void {
  const descriptor = openSync(temporary, 'wx', entry.mode)
  try {
    // The umask may have taken bits away; kubeadm's modes are exact.
    chmodSync(temporary, entry.mode)
    const bytes = typeof entry.content === 'string' ? Buffer.from(entry.content) : entry.content
    let written = 0
    while (written < bytes.length) written += writeSync(descriptor, bytes, written)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function makeFolder(root: string, path: string, made: string[]): void {
  const folder = below(root, path)
  if (existsSync(folder)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(root, parent, made)
  const mode = DIRECTORY_MODES.find(([known]) => known === path)?.[1] ?? 0o755
  mkdirSync(folder, { mode })
  made.push(folder)
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Somebody else put something in: it stays.
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; run as root or choose another folder',
  EPERM: 'permission denied; run as root or choose another folder',
  EROFS: 'the file system is read-only; choose another folder',
  ENOSPC: 'no space left on the device; free some or choose another folder',
  EDQUOT: 'the disk quota is used up; free some space or choose another folder',
  EISDIR: 'it is a folder; name a file',
  ENOTDIR: 'a part of the path is not a folder; correct the path',
  ENOENT: 'it does not exist; correct the path',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
}

/** Why a file operation failed and what to do, in words. */
export function explain(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return EXPLANATIONS[code] ?? reasonOf(error)
}
