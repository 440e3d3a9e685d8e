/** What lies in the certificates folder, read and parsed. */
import { posix } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import { type Certificate, parseCertificates } from './certificate.ts'
import { AUTHORITIES, type AuthorityName } from './certificates.ts'
import { type PrivateKey, parsePrivateKey, parsePublicKey } from './keys.ts'

/** The content of a file on the host; undefined when there is none. */
export type Read = (path: string) => string | undefined

/** A file: not there, there but unusable, or there with what is in it. */
export type Found<T> =
  | { readonly state: 'absent'; readonly path: string }
  | { readonly state: 'damaged'; readonly path: string; readonly reason: string }
  | There<T>

export interface There<T> {
  readonly state: 'there'
  readonly path: string
  readonly text: string
  readonly value: T
}

/** The certificates folder. Base names are those of the table: `etcd/server`. */
export interface Store {
  readonly folder: string
  readonly certificates: (baseName: string) => Found<readonly [Certificate, ...Certificate[]]>
  readonly privateKey: (baseName: string) => Found<PrivateKey>
  /** Bytes of the SubjectPublicKeyInfo in a `.pub`. */
  readonly publicKey: (baseName: string) => Found<Uint8Array>
  /** The path of a file, e.g. `path('etcd/server', 'crt')`. */
  readonly path: (baseName: string, ending: 'crt' | 'key' | 'pub' | 'csr') => string
}

export function openStore(folder: string, read: Read): Store {
  const path: Store['path'] = (baseName, ending) => posix.join(folder, `${baseName}.${ending}`)
  return {
    folder,
    path,
    certificates: baseName => find(path(baseName, 'crt'), read, parseCertificates),
    privateKey: baseName => find(path(baseName, 'key'), read, parsePrivateKey),
    publicKey: baseName => find(path(baseName, 'pub'), read, parsePublicKey),
  }
}

/** Whether a CA is there without its key, so that nothing can be signed with it here. */
export function isExternal(store: Store, name: AuthorityName): boolean {
  const baseName = AUTHORITIES.find(spec => spec.name === name)?.baseName ?? name
  return store.certificates(baseName).state === 'there' && store.privateKey(baseName).state === 'absent'
}

/** Reads and parses one file; whatever goes wrong becomes a reason. */
export function find<T>(path: string, read: Read, parse: (text: string) => T): Found<T> {
  try {
    const text = read(path)
    return text === undefined ? { state: 'absent', path } : { state: 'there', path, text, value: parse(text) }
  } catch (error) {
    // What the file layer says begins with the path, which stands in our own message already.
    return { state: 'damaged', path, reason: reasonOf(error).replace(/^files: cannot read "[^"]*": /, '') }
  }
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
