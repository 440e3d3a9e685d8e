/**
 * A layer into the folder of its snapshot, while it is read once: containerd does the same with every byte going through
 * more hands, and takes three times as long. Here only what names, owners, modes and times say all of; a layer with
 * anything else (removed files, devices, attributes, entries over one another) is containerd's own business.
 * Source: containerd archive/tar.go, diff/apply/apply_linux.go (1.6 to 2.x).
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  createReadStream,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  write,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { KubestepError } from '../../base/errors.ts'
import { fileSource, streamSource } from '../fetch/byte-source.ts'
import { checkSpace } from '../fetch/space.ts'
import { type ByteSource, readTar, type TarAttributes, type TarEntry } from '../fetch/tar.ts'
import { compression } from './archive-entries.ts'

/** A layer as it lies in a store that is root's alone. */
export interface StoredLayer {
  readonly path: string
  /** `sha256:...` of the file. */
  readonly digest: string
  /** The same of what it unpacks to. */
  readonly diffId: string
}

const CHUNK = 1024 * 1024

/** A disk that is busy holds up this file alone, and not what else an init does meanwhile. */
const writeBytes = promisify(write)

/**
 * Unpacks a layer into an empty folder that only root can reach. Throws whatever is in the way, and then the folder is
 * good for nothing.
 */
export async function unpackLayer({ path, digest, diffId }: StoredLayer, folder: string): Promise<void> {
  const file = await open(path)
  try {
    const start = Buffer.alloc(4)
    await file.read(start, 0, start.length, 0)
    const kind = compression(start)
    if (kind === undefined) {
      // Summed up when it came into the store.
      if (digest !== diffId) throw new KubestepError(`images: cannot unpack ${digest}: it should be ${diffId}`)
      return await placeAll(fileSource(file), path, folder)
    }
    if (kind !== 'gzip') throw new KubestepError(`images: cannot unpack ${digest}: it is compressed with ${kind}`)
  } finally {
    await file.close()
  }
  const unpacked = createGunzip({ chunkSize: CHUNK })
  const feeding = pipeline(createReadStream(path, { highWaterMark: CHUNK }), unpacked).catch((error: Error) =>
    unpacked.destroy(error),
  )
  try {
    const { bytes, rest } = summed(unpacked)
    await placeAll(streamSource(bytes), path, folder)
    const sum = await rest()
    if (sum !== diffId) throw new KubestepError(`images: cannot unpack ${digest}: it is ${sum} and should be ${diffId}`)
  } finally {
    unpacked.destroy()
    await feeding
  }
}

/** A stream that is summed up as it is read; `rest` reads what is left of it and gives the sum. */
function summed(stream: AsyncIterable<Uint8Array>): {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly rest: () => Promise<string>
} {
  const hash = createHash('sha256')
  const iterator = stream[Symbol.asyncIterator]()
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await iterator.next()
    if (result.done !== true) hash.update(result.value)
    return result
  }
  return {
    bytes: { [Symbol.asyncIterator]: () => ({ next }) },
    rest: async () => {
      while ((await next()).done !== true);
      return `sha256:${hash.digest('hex')}`
    },
  }
}

async function placeAll(source: ByteSource, shown: string, folder: string): Promise<void> {
  const places: Places = { folder, folders: new Map([['', 0]]), files: new Set() }
  for await (const entry of readTar(source, shown)) await place(entry, places)
  // What is put into a folder changes its time.
  for (const [name, modified] of places.folders) if (name !== '') utimesSync(join(folder, name), modified, modified)
}

/** What there is of the layer so far: nothing that it does not say of itself is gone through or linked to. */
interface Places {
  readonly folder: string
  /** Each with its time. */
  readonly folders: Map<string, number>
  readonly files: Set<string>
}

/** Records of pax that say nothing but what is used here, or what no file has. */
const KNOWN_RECORDS: readonly string[] = [
  ...['path', 'linkpath', 'size', 'uid', 'gid', 'mtime'],
  ...['atime', 'ctime', 'uname', 'gname', 'comment'],
]

async function place(entry: TarEntry, { folder, folders, files }: Places): Promise<void> {
  const attributes = entry.attributes()
  const { type, mode, uid, gid, modified, linksTo, records } = attributes
  const name = plainName(entry.name)
  // containerd leaves the root as it is, too.
  if (name === '') return
  const fits = [mode, uid, gid, modified].every(value => Number.isFinite(value) && value >= 0)
  const isPlain = fits && records.every(record => KNOWN_RECORDS.includes(record)) && !basename(name).startsWith('.wh.')
  if (!isPlain || !folders.has(parentOf(name))) throw otherwise(entry)
  const path = join(folder, name)
  if (type === '5') {
    if (!folders.has(name)) mkdirSync(path)
    folders.set(name, modified)
    lchownSync(path, uid, gid)
    chmodSync(path, mode)
  } else if ((type === '0' || type === '\0') && !entry.name.endsWith('/')) {
    await writeFile(path, entry, attributes)
    files.add(name)
  } else if (type === '2') {
    symlinkSync(linksTo, path)
    lchownSync(path, uid, gid)
    lutimesSync(path, modified, modified)
  } else if (type === '1' && files.has(plainName(linksTo))) {
    linkSync(join(folder, plainName(linksTo)), path)
    files.add(name)
  } else throw otherwise(entry)
}

async function writeFile(path: string, { size, content }: TarEntry, attributes: TarAttributes): Promise<void> {
  const { mode, uid, gid, modified } = attributes
  if (size > CHUNK) checkSpace(path, size)
  const file = openSync(path, 'wx', 0o600)
  try {
    for await (const chunk of content()) {
      for (let at = 0; at < chunk.length; ) at += (await writeBytes(file, chunk, at)).bytesWritten
    }
    // A new owner takes bits of the mode away.
    fchownSync(file, uid, gid)
    fchmodSync(file, mode)
    futimesSync(file, modified, modified)
  } finally {
    closeSync(file)
  }
}

/** Without what stands for nothing; a name that leads out of its folder, or is no text, is nobody's. */
function plainName(name: string): string {
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..') || name.includes('\ufffd')) {
    throw new KubestepError(`images: cannot unpack "${name}": it is no name of a file in a layer`)
  }
  return parts.join('/')
}

function parentOf(name: string): string {
  const parent = dirname(name)
  return parent === '.' ? '' : parent
}

function otherwise({ name }: TarEntry): KubestepError {
  return new KubestepError(`images: cannot unpack "${name}": it takes more than writing a file`)
}
