/** Archives of images: which names are in one, and writing one that containerd and Docker take. */
import { createHash } from 'node:crypto'
import { createReadStream, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { commandOf } from '../../cli/invocation.ts'
import { explain } from '../../machine/files.ts'
import { fileSource } from '../fetch/byte-source.ts'
import { makeRoom, removeFile, sizeOf, temporaryFor, writeAt, writing } from '../fetch/cache-store.ts'
import { checkSpace } from '../fetch/space.ts'
import { readTar, type TarEntry, tarEnd, tarHeader, tarPadding } from '../fetch/tar.ts'

/** containerd's annotation for the whole name; OCI's own one is often the tag alone. */
const NAME = 'io.containerd.image.name'
const REF_NAME = 'org.opencontainers.image.ref.name'
/** Ours: the digest of what the tag stood for in the registry, an index perhaps, of which the archive has one image. */
export const SOURCE = 'kubestep.source.digest'

/** What an archive says of itself. */
export interface ArchiveContent {
  /** Of its images, whole or short as they stand there. */
  readonly names: readonly string[]
  /** What they are for, in Go's words, as far as their configurations say. */
  readonly architectures: readonly string[]
}

/** Configurations of images are small; larger entries are not read. */
const CONFIG_BYTES = 64 * 1024

/**
 * Reads what a docker or OCI archive says of itself; undefined for a compressed one, which cannot be told without
 * unpacking. Reads little of it. Throws a KubestepError for a damaged archive.
 */
export async function readArchive(path: string): Promise<ArchiveContent | undefined> {
  const file = await open(path).catch((error: unknown) => {
    throw new KubestepError(`images: cannot read "${path}": ${explain(error)}`, { cause: error })
  })
  try {
    const magic = Buffer.alloc(4)
    await file.read(magic, 0, 4, 0)
    if (magic.readUInt16BE() === 0x1f8b || magic.readUInt32BE() === 0x28b52ffd) return undefined
    const names = new Set<string>()
    const architectures = new Set<string>()
    let recognised = false
    for await (const entry of readTar(fileSource(file), path)) {
      const read = READERS[entry.name]
      if (entry.kind !== 'file') continue
      if (read === undefined) {
        const built = await builtFor(entry)
        if (built !== undefined) architectures.add(built)
        continue
      }
      recognised = true
      for (const name of read(await readJson(entry, path))) names.add(name)
    }
    if (recognised) return { names: [...names], architectures: [...architectures].sort() }
    throw new KubestepError(
      `images: cannot use "${path}": it is not an image archive (no manifest.json or index.json in it); make it with docker save, or ${commandOf('bundle')}`,
    )
  } finally {
    await file.close()
  }
}

/** What names the images in each kind of archive. */
const READERS: Readonly<Record<string, (json: Json) => readonly string[]>> = {
  'manifest.json': json => list(json).flatMap(image => list(image.RepoTags as Json).map(String)),
  'index.json': json =>
    list(isObject(json) ? (json.manifests ?? []) : []).flatMap(({ annotations }) => {
      const values = isObject(annotations) ? annotations : {}
      const name = values[NAME] ?? values[REF_NAME]
      return typeof name === 'string' && /[/:]/.test(name) ? [name] : []
    }),
}

/** The architecture in an image's configuration; undefined for whatever else an entry is. */
async function builtFor({ name, size, content }: TarEntry): Promise<string | undefined> {
  // Docker's are ID.json, OCI's are blobs.
  if (size > CONFIG_BYTES || !/^(?:blobs\/sha256\/\w+|\w+\.json)$/.test(name)) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of content()) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  if (!text.startsWith('{')) return undefined
  try {
    const { architecture, rootfs } = JSON.parse(text) as JsonObject
    return typeof architecture === 'string' && rootfs !== undefined ? architecture : undefined
  } catch {
    return undefined
  }
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value : []
}

/** Far more than the list of any archive has; its size is what a stranger wrote. */
const LIST_BYTES = 16 * 1024 * 1024

async function readJson(entry: TarEntry, path: string): Promise<Json> {
  if (entry.size > LIST_BYTES) {
    throw new KubestepError(`images: cannot use "${path}": its ${entry.name} has ${entry.size} bytes; use another one`)
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of entry.content()) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Json
  } catch (error) {
    throw new KubestepError(`images: cannot use "${path}": its ${entry.name} is damaged (${reasonOf(error)})`, {
      cause: error,
    })
  }
}

/** Content with the digest it is known by. */
export interface Blob {
  /** `sha256:...` */
  readonly digest: string
  readonly size: number
  /** Undefined where only its digest is known. */
  readonly content?: { readonly file: string } | { readonly bytes: Uint8Array }
}

export interface ImageParts {
  /** The whole name that the image gets, e.g. `registry.k8s.io/pause:3.10.2`. */
  readonly name: string
  readonly tag?: string
  /** `sha256:...` of what the tag stands for. */
  readonly source: string
  /** What the tag stands for where that is an index: it ties the manifest to the digest that people know. */
  readonly index?: Blob
  readonly arch: string
  readonly mediaType: string
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: readonly Blob[]
}

/** A file of an archive. */
export interface ArchiveEntry extends Blob {
  readonly name: string
}

/**
 * The files of an image's archive, in their order: an OCI layout, with a manifest.json so that `docker load` takes it
 * too. The same image makes the same archive, so that one can be held against what it should be.
 * Source: OCI image-layout 1.0, docker image spec 1.2.
 */
export function archiveEntries(image: ImageParts): readonly ArchiveEntry[] {
  const { name, tag, source, arch, mediaType, manifest, config, layers } = image
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType,
        digest: manifest.digest,
        size: manifest.size,
        platform: { os: 'linux', architecture: arch },
        annotations: { [NAME]: name, ...(tag !== undefined && { [REF_NAME]: tag }), [SOURCE]: source },
      },
    ],
  }
  const docker = [{ Config: blobPath(config), RepoTags: tag === undefined ? [] : [name], Layers: layers.map(blobPath) }]
  const all = [...(image.index === undefined ? [] : [image.index]), manifest, config, ...layers]
  const blobs = new Map(all.map(blob => [blobPath(blob), blob]))
  return [
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('index.json', index),
    json('manifest.json', docker),
    ...[...blobs].map(([entryName, blob]) => ({ ...blob, name: entryName })),
  ]
}

/** Where a blob lies in an archive. */
export function blobPath({ digest }: Pick<Blob, 'digest'>): string {
  return `blobs/${digest.replace(':', '/')}`
}

function json(name: string, value: unknown): ArchiveEntry {
  const bytes = Buffer.from(JSON.stringify(value))
  return { name, digest: digestOf(bytes), size: bytes.length, content: { bytes } }
}

/** `sha256:...` */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Writes the archive of an image, whole or not at all. Throws a KubestepError. */
export async function writeImageArchive(path: string, image: ImageParts): Promise<void> {
  const entries = archiveEntries(image)
  await makeRoom(path)
  checkSpace(path, archiveSize(entries))
  const temporary = temporaryFor(path)
  removeFile(temporary)
  try {
    const file = await writing(path, () => open(temporary, 'wx', 0o644))
    try {
      let position = 0
      const append = async (bytes: Uint8Array): Promise<void> => {
        await writeAt(file, path, bytes, position)
        position += bytes.length
      }
      for (const { name, size, content } of entries) {
        await append(tarHeader(name, size))
        if (content === undefined) throw new RangeError(`images: no content for ${name}`)
        if ('bytes' in content) await append(content.bytes)
        else {
          if (sizeOf(content.file) !== size)
            throw new KubestepError(`images: cannot write "${path}": ${content.file} has changed`)
          for await (const chunk of createReadStream(content.file, { highWaterMark: 1024 * 1024 })) {
            await append(chunk as Uint8Array)
          }
        }
        await append(tarPadding(size))
      }
      await append(tarEnd())
    } finally {
      await file.close()
    }
    await writing(path, () => renameSync(temporary, path))
  } finally {
    removeFile(temporary)
  }
}

/** In bytes. */
function archiveSize(entries: readonly ArchiveEntry[]): number {
  const sizes = entries.map(({ name, size }) => tarHeader(name, size).length + size + tarPadding(size).length)
  return sizes.reduce((sum, size) => sum + size, tarEnd().length)
}
