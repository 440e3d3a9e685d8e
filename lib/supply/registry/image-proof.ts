/**
 * What an image archive of the cache is, by its content alone: from the digest of what the tag stood for, over the manifest,
 * to each layer, and nothing besides. What it says of itself is held against what it has.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json } from '../../base/json.ts'
import { fileSource } from '../fetch/byte-source.ts'
import { SMALL_BYTES } from '../fetch/http-answer.ts'
import { contentsOf, platformDigest } from '../fetch/manifest.ts'
import type { Reference } from '../fetch/reference.ts'
import { readTar, tarEnd, tarHeader, tarPadding } from '../fetch/tar.ts'
import {
  type ArchiveEntry,
  archiveEntries,
  blobPath,
  digestOf,
  type ImageParts,
  SOURCE,
} from './write-image-archive.ts'

/** What an archive was shown to hold. */
export interface ProvenImage {
  /** The digest of what it was fetched by, `sha256:...`. */
  readonly source: string
  /** That of its configuration, which a runtime knows it by. */
  readonly id: string
}

/**
 * What the image of an archive is, when the archive holds one for that architecture under that name, whole, and nothing
 * else; undefined for any other, and when there is none.
 */
export async function provenImage(path: string, reference: Reference, arch: string): Promise<ProvenImage | undefined> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const image = await readImage(file, path, reference, arch)
    if (image === undefined || !(await isExactly(file, archiveEntries(image)))) return undefined
    return { source: image.source, id: image.config.digest }
  } catch (error) {
    if (error instanceof KubestepError) return undefined
    throw error
  } finally {
    await file.close()
  }
}

/** What the small files of an archive say of it; it is proven by the comparison alone. */
async function readImage(
  file: FileHandle,
  path: string,
  reference: Reference,
  arch: string,
): Promise<ImageParts | undefined> {
  const small = new Map<string, Uint8Array>()
  for await (const { name, size, content } of readTar(fileSource(file), path)) {
    if (size > SMALL_BYTES || small.has(name)) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of content()) chunks.push(chunk)
    small.set(name, Buffer.concat(chunks))
    // Index and manifest come before the layers.
    if (small.size > LEADING) break
  }
  const listed = parsed(small.get('index.json'))
  const [entry] = isObject(listed) && Array.isArray(listed.manifests) ? listed.manifests : []
  if (!isObject(entry)) return undefined
  const source = isObject(entry.annotations) ? entry.annotations[SOURCE] : undefined
  const { digest, mediaType } = entry
  if (typeof source !== 'string' || typeof digest !== 'string' || typeof mediaType !== 'string') return undefined
  const bytes = small.get(blobPath({ digest }))
  if (bytes === undefined || digestOf(bytes) !== digest) return undefined
  const index = source === digest ? undefined : small.get(blobPath({ digest: source }))
  if (source !== digest && (index === undefined || digestOf(index) !== source)) return undefined
  const indexJson = parsed(index)
  if (index !== undefined && (!isObject(indexJson) || platformDigest(indexJson, arch, reference) !== digest)) {
    return undefined
  }
  const json = parsed(bytes)
  if (!isObject(json)) return undefined
  const { config, layers } = contentsOf(mediaType, json, reference)
  return {
    name: reference.name,
    ...(reference.tag !== undefined && { tag: reference.tag }),
    source,
    ...(index !== undefined && { index: { digest: source, size: index.length } }),
    arch,
    mediaType,
    manifest: { digest, size: bytes.length },
    config,
    layers,
  }
}

/** oci-layout, index.json, manifest.json, the index and the manifest. */
const LEADING = 5

function parsed(bytes: Uint8Array | undefined): Json | undefined {
  try {
    return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as Json)
  } catch {
    return undefined
  }
}

const CHUNK = 1024 * 1024

/** Whether a file is the archive with these entries, from its first byte to its last. */
async function isExactly(file: FileHandle, entries: readonly ArchiveEntry[]): Promise<boolean> {
  const { read } = fileSource(file)
  const comes = async (expected: Uint8Array): Promise<boolean> =>
    Buffer.from(await read(expected.length)).equals(expected)
  for (const { name, size, digest } of entries) {
    if (!(await comes(tarHeader(name, size)))) return false
    const hash = createHash('sha256')
    for (let left = size; left > 0; ) {
      const chunk = await read(Math.min(left, CHUNK))
      if (chunk.length === 0) return false
      hash.update(chunk)
      left -= chunk.length
    }
    if (`sha256:${hash.digest('hex')}` !== digest || !(await comes(tarPadding(size)))) return false
  }
  return (await comes(tarEnd())) && (await read(1)).length === 0
}
