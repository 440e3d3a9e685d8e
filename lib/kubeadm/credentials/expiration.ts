/** When certificates end, and who can renew them: what `certs check-expiration` says. Source: kubeadm cmd/certs.go (v1.36). */
import { posix } from 'node:path'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Certificate, same } from './certificate.ts'
import { AUTHORITIES, type AuthorityName } from './certificates.ts'
import { type Found, find, isExternal, openStore, type Read, type Store } from './credential-store.ts'
import { clientOf } from './existing-kubeconfig.ts'
import type { PrivateKey } from './keys.ts'
import { type Renewable, renewablesOf } from './renewable.ts'

/** One row. */
export interface Expiration {
  readonly name: string
  /** What keeps it from being used, where it shows: in kubeadm's words, or ours where kubeadm gives up altogether. */
  readonly mark?: 'MISSING' | 'DAMAGED' | 'NO KEY'
  readonly notAfter?: Date
  /** Who signed it; absent for a CA. */
  readonly authority?: AuthorityName
  /** Whether the key of its CA is kept elsewhere, so that nothing here can renew it. */
  readonly external: boolean
}

export interface Expirations {
  readonly certificates: readonly Expiration[]
  readonly authorities: readonly Expiration[]
  /** What is wrong beyond dates, a line each. */
  readonly faults: readonly string[]
}

/** Reads what lies in the folders. One that is damaged is marked, and keeps none of the others from being told. */
export function readExpirations(
  config: Pick<InitConfig, 'cluster' | 'kubeadm'>,
  kubeconfigs: string,
  read: Read,
): Expirations {
  const store = openStore(config.cluster.certificatesDir, read)
  const faults: string[] = []
  const rowOf = (
    name: string,
    { certificate, key }: Held,
    external: boolean,
    authority?: AuthorityName,
  ): Expiration => {
    if (certificate.state === 'absent') return { name, mark: 'MISSING', external: false }
    const base = { name, external, ...(authority && { authority }) }
    if (certificate.state === 'damaged') {
      faults.push(`certs: cannot read "${certificate.path}": ${certificate.reason}`)
      return { ...base, mark: 'DAMAGED' }
    }
    const row = { ...base, notAfter: certificate.value.notAfter }
    const isCa = authority === undefined
    if (key.state === 'damaged') faults.push(`certs: cannot read "${key.path}": ${key.reason}`)
    if (key.state === 'there' && !same(key.value.publicKey, certificate.value.publicKey)) {
      faults.push(`certs: cannot use "${certificate.path}": its key "${key.path}" belongs to another certificate`)
    }
    if (key.state !== 'absent' || isCa) return row
    faults.push(`certs: cannot use "${certificate.path}": its key "${key.path}" is missing`)
    // Where its CA is here, it can be made again.
    return external ? { ...row, mark: 'NO KEY' } : row
  }
  const isLocal = config.cluster.etcd.external === undefined
  return {
    certificates: renewablesOf(config).map(row =>
      rowOf(row.name, held(row, store, kubeconfigs, read), isExternal(store, row.authority), row.authority),
    ),
    authorities: AUTHORITIES.filter(({ name }) => isLocal || name !== 'etcd-ca')
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ name, baseName }) => rowOf(name, pair(store, baseName), isExternal(store, name))),
    faults,
  }
}

/** A certificate and its key, as they were found. */
export interface Held {
  readonly certificate: Found<Certificate>
  readonly key: Found<PrivateKey>
}

/** What a row has on the node. */
export function held(row: Renewable, store: Store, kubeconfigs: string, read: Read): Held {
  if ('leaf' in row) return pair(store, row.leaf.baseName)
  const path = posix.join(kubeconfigs, row.name)
  const found = find(path, read, text => clientOf({ path, text }, read))
  if (found.state !== 'there') return { certificate: found, key: found }
  const { certificates, key } = found.value
  const reason = 'it holds no client certificate'
  return {
    certificate: certificates === undefined ? { state: 'damaged', path, reason } : { ...found, value: certificates[0] },
    key: key === undefined ? { state: 'absent', path } : { ...found, value: key },
  }
}

function pair(store: Store, baseName: string): Held {
  const found = store.certificates(baseName)
  const certificate = found.state === 'there' ? { ...found, value: found.value[0] } : found
  return { certificate, key: store.privateKey(baseName) }
}
