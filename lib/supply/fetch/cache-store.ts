/**
 * Files of the cache. Each is looked at again whenever it is used, so nothing has to be forced onto the disk: what a crash,
 * a bad disk or a stranger did to it is noticed, and it is fetched again. What it has to be stands elsewhere: in the lock
 * or at its source. Only where neither can be asked the record beside it (`<file>.sha256`) counts, and only in a store
 * that nobody else can write.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { custodyFault, thisUser } from '../../machine/file-custody.ts'
import { explain } from '../../machine/files.ts'
import { readChecksum } from './checksum.ts'

/** Where components are kept when nothing else was asked for. */
export function defaultCacheDir(environment: Readonly<Record<string, string | undefined>>, isRoot: boolean): string {
  if (isRoot) return '/var/cache/kubestep'
  const base = environment.XDG_CACHE_HOME || (environment.HOME && join(environment.HOME, '.cache'))
  return join(base || '/tmp', 'kubestep')
}

/** Runs something that writes into the cache; makes its faults readable. */
export async function writing<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (error instanceof KubestepError || (code === undefined && syscall === undefined)) throw error
    const reason = code === 'EEXIST' ? 'a part of the path is not a folder; correct the path' : explain(error)
    throw new KubestepError(`components: cannot write "${path}": ${reason}`, { cause: error })
  }
}

/** Writes all of a chunk at a place of an open file. Throws a KubestepError that names the path. */
export function writeAt(file: FileHandle, path: string, chunk: Uint8Array, position: number): Promise<void> {
  return writing(path, async () => {
    for (let at = 0; at < chunk.length; ) {
      at += (await file.write(chunk, at, chunk.length - at, position + at)).bytesWritten
    }
  })
}

/** Makes the folder of a file. */
export function makeRoom(file: string): Promise<void> {
  return writing(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
  })
}

/** Where it is written down what a file has to be, for a time when nobody can be asked. */
export function recordFile(file: string): string {
  return `${file}.sha256`
}

/** Writes down what a file has been shown to be. */
export async function keepRecord(file: string, checksum: string): Promise<void> {
  await writeText(recordFile(file), `${checksum}  ${basename(file)}\n`)
}

/** Why the record beside a file does not show that it is what has that checksum; undefined when it does. */
export function recordFault(file: string, checksum: string): string | undefined {
  if (readChecksum(readText(recordFile(file)) ?? '') !== checksum) return 'there is no record of it'
  // A record counts as far as the hands that it has been in.
  for (const path of [file, recordFile(file)]) {
    const fault = custodyFault(path, thisUser())
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Writes a small file whole or not at all. */
export async function writeText(file: string, text: string): Promise<void> {
  await makeRoom(file)
  await writing(file, () => {
    const temporary = temporaryFor(file)
    removeFile(temporary)
    writeFileSync(temporary, text, { mode: 0o644, flag: 'wx' })
    renameSync(temporary, file)
  })
}

/** The text of a small file; undefined when it cannot be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * The name of the unfinished file of this process. What a process that is gone has left of the same content is taken
 * over, so that its bytes need not come again; other remains are removed.
 */
export function claimPart(file: string, checksum: string): string {
  const mine = `${file}.${checksum.slice(0, 12)}.${process.pid}.part`
  for (const { path, content } of remains(file, /^([0-9a-f]{12})\.(\d+)\.part$/)) {
    try {
      if (content === checksum.slice(0, 12) && sizeOf(path) > sizeOf(mine)) renameSync(path, mine)
      else removeFile(path)
    } catch {
      // Another process was quicker.
    }
  }
  return mine
}

/** A name beside a file (or folder) for what will be renamed to it; what killed processes left there is removed. */
export function temporaryFor(file: string): string {
  for (const { path } of remains(file, /^()(\d+)\.tmp$/)) removeFile(path)
  return `${file}.${process.pid}.tmp`
}

/** What processes that are gone have left beside a file: names whose rest has content and pid as its groups. */
function remains(file: string, rest: RegExp): readonly { readonly path: string; readonly content: string }[] {
  const prefix = `${basename(file)}.`
  return listNames(dirname(file)).flatMap(name => {
    const [, content, pid] = rest.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '') ?? []
    const left = content !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))
    return left ? [{ path: join(dirname(file), name), content }] : []
  })
}

/** The names in a folder, sorted; none when it cannot be read. */
export function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** Removes a file or a folder; what is not there counts as removed. */
export function removeFile(file: string): void {
  rmSync(file, { recursive: true, force: true })
}

/** Size in bytes; 0 when there is no such file. */
export function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
