/**
 * The lock: digests that were written down before, by people who could look, so that a download site cannot change
 * what a version is. Lines as sha256sum has them, `<64 hex digits>  <name>`; a name is `<component> <version> <arch>`
 * or an image's whole name, whose digest is that of what its tag stands for. scripts/lock.mts makes one.
 */
import { KubestepError } from '../../base/errors.ts'
import { readFile } from '../../machine/files.ts'

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
    `components: cannot use lock "${shown}": ${faults.join(', ')}; make it again with npx zx scripts/lock.mts`,
  )
}

/**
 * Reads the table of the lock that comes along: it goes into every bundle that fetches, so it says each part of a name
 * once. `[kubelet v1.36.* amd64]`, then a line for each name: what the star stands for, and the digest in base64url.
 */
export function readLockTable(table: string): Lock {
  const lock = new Map<string, string>()
  let head = '*'
  for (const line of table.split('\n').filter(text => text !== '')) {
    const named = /^\[(.*)\]$/.exec(line)?.[1]
    const [, star = '', digest = ''] = /^(.+) ([\w-]{43})$/.exec(line) ?? []
    if (named !== undefined) head = named
    else if (digest === '') throw new RangeError(`lock: no row of the table: ${line}`)
    else
      lock.set(
        head.replace('*', () => star),
        Buffer.from(digest, 'base64url').toString('hex'),
      )
  }
  return lock
}

/** Such a table, sorted by name. */
export function writeLockTable(lock: Lock): string {
  const rows = [...lock].map(([name, digest]) => {
    // The patch version of a file; the name of an image without its registry.
    const [, before = '', star = name, after = ''] =
      /^(\S+ v\d+\.\d+\.)(\S+)( \S+)$/.exec(name) ?? /^([^/ ]+\/)(\S+)()$/.exec(name) ?? []
    return { head: `${before}*${after}`, star, digest: Buffer.from(digest, 'hex').toString('base64url') }
  })
  const byHead = new Map<string, typeof rows>()
  for (const row of rows) byHead.set(row.head, [...(byHead.get(row.head) ?? []), row])
  const natural = new Intl.Collator('en', { numeric: true }).compare
  const heads = [...byHead.keys()].sort(natural)
  return heads
    .map(head => {
      const lines = (byHead.get(head) ?? []).sort((a, b) => natural(a.star, b.star))
      return `[${head}]\n${lines.map(({ star, digest }) => `${star} ${digest}\n`).join('')}`
    })
    .join('')
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
  if (file === undefined) return readLockTable((await import('./lock-file.ts')).LOCK_FILE)
  const text = readFile('/', file)
  if (text !== undefined) return readLock(text, file)
  throw new KubestepError(`components: cannot read lock "${file}": it does not exist; correct the path`)
}
