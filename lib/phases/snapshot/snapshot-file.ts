/** A snapshot of etcd as a file. */
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { KubestepError } from '../../base/errors.ts'
import { DIGEST_LENGTH } from '../../cluster/etcd/snapshot.ts'
import { explain } from '../../machine/files.ts'

/** It has to end with the SHA-256 of what comes before. Throws a KubestepError where it does not, or cannot be read. */
export async function checkSnapshot(file: string): Promise<void> {
  let reason = 'it is no snapshot, or not a whole one; take another'
  try {
    const end = statSync(file).size - DIGEST_LENGTH
    const hash = createHash('sha256')
    const tail: Buffer[] = []
    if (end > 0) {
      for await (const piece of createReadStream(file, { end: end - 1 })) hash.update(piece as Buffer)
      for await (const piece of createReadStream(file, { start: end })) tail.push(piece as Buffer)
      if (Buffer.concat(tail).equals(hash.digest())) return
    }
  } catch (error) {
    reason = explain(error)
  }
  throw new KubestepError(`etcd: cannot restore "${file}": ${reason}`)
}
