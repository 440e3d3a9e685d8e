/** One walk through an archive of images: what its JSON says, and what its files really are. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { KubestepError } from '../../base/errors.ts'
import { explain } from '../../machine/files.ts'
import { fileSource } from '../fetch/byte-source.ts'
import { readTar } from '../fetch/tar.ts'

export interface ArchiveEntry {
  /** SHA-256 of the content in hex; undefined for a link. */
  readonly checksum?: string
  /** The content, where it may be JSON. */
  readonly text?: string
  readonly compressed: boolean
  /** In bytes; of a link none. */
  readonly size: number
}

/** Where the bytes of one file go as they are read. */
export interface Sink {
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly end: (checksum: string) => Promise<void>
}

/** JSON in archives is small; layers are not JSON. */
const MAX_JSON = 4 * 1024 * 1024

/**
 * Every file by its name. Reads all of it, so that damage is found before anything is imported; what is read can go
 * somewhere at once, so that it is read but once. Throws a KubestepError.
 */
export function readEntries(path: string, sink?: () => Sink): Promise<ReadonlyMap<string, ArchiveEntry>> {
  return walk(path, (size, content) => readEntry(size, content(), sink?.()))
}

/** The same without what is too large for JSON, which has no checksum then: a few seeks. Throws a KubestepError. */
export function readTexts(path: string): Promise<ReadonlyMap<string, ArchiveEntry>> {
  return walk(path, async (size, content) =>
    size > MAX_JSON ? { compressed: false, size } : readEntry(size, content()),
  )
}

async function walk(
  path: string,
  read: (size: number, content: () => AsyncIterable<Uint8Array>) => Promise<ArchiveEntry>,
): Promise<ReadonlyMap<string, ArchiveEntry>> {
  const file = await open(path).catch((error: unknown) => {
    throw new KubestepError(`load: cannot read "${path}": ${explain(error)}`, { cause: error })
  })
  try {
    const entries = new Map<string, ArchiveEntry>()
    for await (const { name, kind, size, content } of readTar(fileSource(file), path)) {
      if (kind !== 'folder') entries.set(name, kind === 'file' ? await read(size, content) : LINK)
    }
    return entries
  } finally {
    await file.close()
  }
}

const LINK: ArchiveEntry = { compressed: false, size: 0 }

async function readEntry(size: number, content: AsyncIterable<Uint8Array>, sink?: Sink): Promise<ArchiveEntry> {
  const hash = createHash('sha256')
  const kept: Uint8Array[] = []
  let magic: Uint8Array | undefined
  for await (const chunk of content) {
    hash.update(chunk)
    magic ??= chunk.subarray(0, 4)
    if (size <= MAX_JSON && isJsonStart(magic)) kept.push(chunk)
    await sink?.write(chunk)
  }
  const checksum = hash.digest('hex')
  await sink?.end(checksum)
  return {
    checksum,
    size,
    compressed: magic !== undefined && compression(magic) !== undefined,
    ...(kept.length > 0 && { text: Buffer.concat(kept).toString() }),
  }
}

function isJsonStart(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b || bytes[0] === 0x5b
}

const MAGIC: readonly (readonly [name: 'gzip' | 'zstd' | 'xz' | 'bzip2', bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]

/** How a file is compressed, by its first four bytes; undefined when it is not. */
export function compression(bytes: Uint8Array): (typeof MAGIC)[number][0] | undefined {
  return MAGIC.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte))?.[0]
}
