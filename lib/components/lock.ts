/**
 * The lock: digests that were written down before, by people who could look, so that a download site cannot change
 * what a version is. Lines as sha256sum has them, `<64 hex digits>  <name>`; a name is `<component> <version> <arch>`
 * or an image's whole name, whose digest is that of what its tag stands for. scripts/lock.mts makes one.
 */
import { KubestepError } from '../errors.ts'
import { readFile } from '../files.ts'

/** SHA-256 in hex by name. */
export type Lock = ReadonlyMap<string, string>

/** The name of a file in a lock, e.g. `kubelet v1.36.2 amd64`. */
export function fileKey(component: string, version: string, arch: string): string {
  return `${component} ${version} ${arch}`
}

/** Reads a lock; `shown` names it in messages. Throws a KubestepError that names every line that is none. */
export function readLock(text: string, shown: string): Lock {
  const lock = new Map<string, string>()
  const faults: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, digest, name] = /^([0-9a-f]{64}) {2}(\S.*\S)\s*$/.exec(line) ?? []
    const known = name === undefined ? undefined : lock.get(name)
    if (digest === undefined || name === undefined) faults.push(`line ${index + 1} is not "<sha256>  <name>"`)
    else if (known !== undefined && known !== digest) faults.push(`line ${index + 1} gives "${name}" another digest`)
    else lock.set(name, digest)
  }
  if (faults.length === 0) return lock
  throw new KubestepError(
    `components: cannot use lock "${shown}": ${faults.join(', ')}; make it anew with npx zx scripts/lock.mts`,
  )
}

/** A lock as text, sorted by name; without a head. */
export function writeLock(lock: Lock): string {
  const names = [...lock.keys()].sort((a, b) => (a < b ? -1 : 1))
  return names.map(name => `${lock.get(name)}  ${name}\n`).join('')
}

/**
 * The lock that counts: that of `--lock FILE` in place of the one that comes along. Throws a KubestepError.
 */
export async function openLock(file: string | undefined): Promise<Lock> {
  if (file === undefined) return readLock((await import('./lock-file.ts')).LOCK_FILE, 'lib/components/lock-file.ts')
  const text = readFile('/', file)
  if (text !== undefined) return readLock(text, file)
  throw new KubestepError(`components: cannot read lock "${file}": it does not exist; correct the path`)
}
