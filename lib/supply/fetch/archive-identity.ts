/**
 * What an archive of images is known by, without reading all of it: its own index and the configurations of its
 * images, which name every layer by its content. A compressed archive goes by its whole content.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { KubestepError } from '../../base/errors.ts'
import { explain } from '../../machine/files.ts'
import { fileSource } from './byte-source.ts'
import { checksumOf } from './checksum.ts'
import { readTar } from './tar.ts'

/** Manifests and configurations of images are small; larger entries are layers. */
const TEXT_BYTES = 64 * 1024

const MAGIC = { gzip: 0x1f8b0000, zstd: 0x28b52ffd } as const

/** 64 hex digits; the same content under another file name has the same. Throws a KubestepError for a damaged archive. */
export async function archiveIdentity(path: string): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw new KubestepError(`images: cannot read "${path}": ${explain(error)}`, { cause: error })
  })
  try {
    const start = Buffer.alloc(4)
    await file.read(start, 0, start.length, 0)
    const isCompressed = start.readUInt16BE() === MAGIC.gzip >>> 16 || start.readUInt32BE() === MAGIC.zstd
    if (isCompressed) return (await checksumOf(path)) ?? ''
    const sum = createHash('sha256')
    for await (const { name, kind, size, content } of readTar(fileSource(file), path)) {
      if (kind !== 'file' || size > TEXT_BYTES) continue
      sum.update(JSON.stringify([name, size]))
      for await (const chunk of content()) sum.update(chunk)
    }
    return sum.digest('hex')
  } finally {
    await file.close()
  }
}
