/**
 * Prepared runtimes: what archives of images became in a containerd, kept in the cache. The next private runtime
 * begins with it by hard links, where it would unpack everything again. Layers are never written: containers write to
 * folders of their own, and what a runtime removes, it removes by name.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isObject } from '../../base/json.ts'
import { $ } from '../../machine/command.ts'
import { isInCustody } from '../../machine/file-custody.ts'
import { readFile } from '../../machine/files.ts'

/** What is known of a prepared runtime; in a file that is written last. */
export interface PreparedRecord {
  /** As `containerd --version` says it, since its databases are of that version. */
  readonly containerd: string
  /** Identities of the archives that are in it. */
  readonly archives: readonly string[]
  /** Ids of images, by every name. */
  readonly images: Readonly<Record<string, string>>
  /** What listingOf() says of its tree. */
  readonly listing: string
}

export interface Prepared extends PreparedRecord {
  readonly folder: string
}

/** Name of the record in its folder. */
export const RECORD = 'prepared.json'

/** Where a cache has them. */
export function preparedFolder(cacheDir: string): string {
  return join(cacheDir, 'runtimes')
}

/** The parts of a containerd's root that images are made of. Source: containerd 1.6, 1.7, 2.x: names of its plugins. */
export const IMAGE_PARTS: readonly string[] = [
  'io.containerd.content.v1.content/blobs',
  'io.containerd.metadata.v1.bolt',
  'io.containerd.snapshotter.v1.overlayfs',
  'io.containerd.snapshotter.v1.native',
]

/** Its databases: the only files that a runtime writes in place. */
const isDatabase = (name: string): boolean => name.endsWith('.db')

/** Whether what is kept in a cache would be believed later: only where nobody but root can put something. */
export function mayKeepIn(cacheDir: string): boolean {
  let folder = preparedFolder(cacheDir)
  while (!existsSync(folder)) folder = dirname(folder)
  return isInCustody(folder)
}

/** All in a cache that nobody but root could have made, newest first. What cannot be read does not count. */
export function preparedIn(cacheDir: string): Prepared[] {
  const folder = preparedFolder(cacheDir)
  if (!existsSync(folder) || !isInCustody(folder)) return []
  return readdirSync(folder)
    .map(name => join(folder, name))
    .flatMap(path => {
      const record = readRecord(path)
      return record === undefined || !isInCustody(path) ? [] : [{ ...record, folder: path }]
    })
    .sort((a, b) => statSync(b.folder).mtimeMs - statSync(a.folder).mtimeMs)
}

/** What lies there already. */
export function preparedAt(folder: string): Prepared | undefined {
  const record = readRecord(folder)
  return record === undefined ? undefined : { ...record, folder }
}

function readRecord(folder: string): PreparedRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFile('/', join(folder, RECORD)) ?? '')
    return isObject(record as never) ? (record as PreparedRecord) : undefined
  } catch {
    return undefined
  }
}

/** The one that saves most of the archives, of those with the least besides; undefined when none has any. */
export function bestPrepared(
  all: readonly Prepared[],
  containerd: string,
  archives: readonly string[],
): Prepared | undefined {
  const saved = ({ archives: has }: Prepared): number => archives.filter(archive => has.includes(archive)).length
  const rows = all.filter(prepared => prepared.containerd === containerd && saved(prepared) > 0)
  return rows.sort((a, b) => saved(b) - saved(a) || a.archives.length - b.archives.length)[0]
}

/**
 * Gives a private runtime that has not begun its root: hard links where the file system can, else shared or whole
 * copies. false when the tree is not what its record says; then nothing is left.
 */
export async function layOut({ folder, listing }: Prepared, root: string): Promise<boolean> {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const parts = IMAGE_PARTS.filter(part => existsSync(join(folder, part)))
  const linked = await copyParts(folder, root, parts)
  if (linked && listingOf(root) === listing) return true
  for (const part of IMAGE_PARTS) rmSync(join(root, part), { recursive: true, force: true })
  return false
}

/** Copies parts of a root by links, its databases for real. Whether all of it could be. */
export async function copyParts(from: string, to: string, parts: readonly string[]): Promise<boolean> {
  // cp keeps owners, devices that stand for removed files, and attributes of folders, which Node cannot.
  const way = lstatSync(from).dev === lstatSync(to).dev ? '--link' : '--reflink=auto'
  const { exitCode } = await $({ nothrow: true, cwd: from })`cp --archive ${way} --parents ${parts} ${to}`
  if (exitCode !== 0) return false
  for (const part of parts) {
    for (const name of readdirSync(join(to, part)).filter(isDatabase)) {
      copyFileSync(join(from, part, name), join(to, part, `${name}.tmp`))
      renameSync(join(to, part, `${name}.tmp`), join(to, part, name))
    }
  }
  return true
}

/**
 * A sum over names, kinds, owners, sizes and times of change of a tree's images: what is cut short, missing or written
 * anew changes it. Reading all the bytes would take longer than unpacking them again saves.
 */
export function listingOf(root: string): string {
  const sum = createHash('sha256')
  const walk = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const below = join(path, name)
      const { mode, uid, gid, size, mtimeMs } = lstatSync(join(root, below))
      const isFolder = (mode & 0o170000) === 0o040000
      const content = isFolder || isDatabase(name) ? [] : [size, mtimeMs]
      sum.update(JSON.stringify([below, mode, uid, gid, ...content]))
      if (isFolder) walk(below)
    }
  }
  for (const part of IMAGE_PARTS.filter(part => existsSync(join(root, part)))) walk(part)
  return sum.digest('hex')
}
