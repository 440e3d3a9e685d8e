/** A snapshot of an etcd member's data, as `etcdctl snapshot save` writes it. */
import { createHash } from 'node:crypto'
import { type Etcd, EtcdError } from './gateway.ts'

/** etcd ends the data with their SHA-256. Source: etcd server/etcdserver/api/v3rpc/maintenance.go (v3.4 to v3.6). */
export const DIGEST_LENGTH = 32

/**
 * The snapshot in pieces, the digest at its end among them. What has come is whole only when the last piece has been
 * read without an error. Throws an EtcdError, also when the digest does not fit.
 */
export async function* snapshotOf(etcd: Etcd): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let tail = Buffer.alloc(0)
  for await (const { blob } of etcd.stream('maintenance/snapshot')) {
    const piece = Buffer.from(String(blob ?? ''), 'base64')
    const data = Buffer.concat([tail, piece])
    const end = Math.max(0, data.length - DIGEST_LENGTH)
    hash.update(data.subarray(0, end))
    tail = data.subarray(end)
    yield piece
  }
  if (tail.length < DIGEST_LENGTH || !hash.digest().equals(tail)) {
    throw new EtcdError(`etcd: cannot use the snapshot of "${etcd.endpoint}": it is not whole; take it again`, 'other')
  }
}
