/**
 * An archive into a containerd of our own without the way through its socket, on which every byte is copied and summed up
 * several times: its files are put where containerd keeps content, by their checksums, which are the names that it gives
 * them, and its layers where it keeps those; then containerd is told of both.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { COMMIT, type Containerd, type Descriptor, SNAPSHOTTER, withContainerd } from '../runtime/containerd-api.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { readEntries, type Sink } from './archive-entries.ts'
import { type ArchivedImage, archivedImages, type Part, type Parts } from './archive-images.ts'
import { checkHeld } from './held-archive.ts'
import { unpackOver } from './layer-snapshot.ts'
import { type LoadedImage, proven } from './proven-import.ts'

/** Where content lies below containerd's root. Source: containerd content/local (1.6), plugins/content/local (2.x). */
const CONTENT = 'io.containerd.content.v1.content'

/** How content says what must not be collected as long as it is there itself. Source: containerd docs/garbage-collection.md. */
const KEEPS = 'containerd.io/gc.ref'

const DOCKER = 'application/vnd.docker'

/**
 * Gives the images that the runtime has then; with `id`, an archive with another image is refused. Throws whatever is in
 * the way, and leaves no image: an import by containerd's own tool takes more kinds of archives, and says what is wrong
 * with one.
 */
export async function placeArchive(
  runtime: Pick<Runtime, 'cri'>,
  root: string,
  archive: string,
  platform: string,
  id?: string,
): Promise<LoadedImage[]> {
  const store = openStore(join(root, CONTENT))
  try {
    const images = archivedImages(await readEntries(archive, store.sink), platform, archive)
    checkHeld(images, id, archive)
    return await withContainerd(runtime.cri.socket, async containerd => {
      for (const image of images) await placeImage(containerd, store, image, { root, archive })
      return proven(runtime.cri, images)
    })
  } finally {
    store.sweep()
  }
}

/** containerd's content, as folder. */
interface Store {
  /** Takes one file in. */
  readonly sink: () => Sink
  /** Takes a text in; gives it as a part. */
  readonly add: (text: string) => Part
  readonly pathOf: (checksum: string) => string
  /** containerd has been told of it. */
  readonly told: (checksum: string) => void
  /** Takes away what came in and was not told of. */
  readonly sweep: () => void
}

function openStore(folder: string): Store {
  const blobs = join(folder, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const untold = new Set<string>()
  const unfinished = new Set<FileHandle>()
  const fresh = (): string => {
    const path = join(folder, `kubestep-${randomUUID()}`)
    untold.add(path)
    return path
  }
  const put = (path: string, checksum: string): void => {
    const place = join(blobs, checksum)
    untold.delete(path)
    // Content that is there is told of already, or about to be by another archive that has it, too.
    if (existsSync(place)) {
      rmSync(path)
      return
    }
    renameSync(path, place)
    untold.add(place)
  }
  return {
    sink: () => {
      const path = fresh()
      let file: FileHandle | undefined
      return {
        write: async bytes => {
          file ??= await open(path, 'wx', CONTENT_MODE)
          unfinished.add(file)
          await file.writeFile(bytes)
        },
        end: async checksum => {
          if (file === undefined) return
          await file.close()
          unfinished.delete(file)
          put(path, checksum)
        },
      }
    },
    add: text => {
      const path = fresh()
      writeFileSync(path, text, { mode: CONTENT_MODE })
      const checksum = sha256(text)
      put(path, checksum)
      return { checksum, size: Buffer.byteLength(text), compressed: false }
    },
    pathOf: checksum => join(blobs, checksum),
    told: checksum => untold.delete(join(blobs, checksum)),
    sweep: () => {
      for (const path of untold) rmSync(path, { force: true })
      for (const file of unfinished) void file.close()
    },
  }
}

/** As containerd itself has it. */
const CONTENT_MODE = 0o444

/** Tells containerd of an image, unpacks it, and gives it its names. Throws a KubestepError. */
async function placeImage(
  containerd: Containerd,
  store: Store,
  { names, parts }: ArchivedImage,
  { root, archive }: { readonly root: string; readonly archive: string },
): Promise<void> {
  if (parts === undefined)
    throw new KubestepError(`images: cannot place "${archive}": an image in it has several platforms`)
  const { content, mediaType } = parts.manifest ?? dockerManifest(parts)
  const file = parts.manifest?.file ?? store.add(JSON.stringify(content))
  const target = descriptorOf(file, mediaType)
  const { config, layers } = content as unknown as { config: Descriptor; layers: readonly Descriptor[] }
  const chain = chainIds(parts.layers.map(({ diffId }) => diffId))
  await tell(containerd, store, config, { [`${KEEPS}.snapshot.${SNAPSHOTTER}`]: chain.at(-1) ?? '' })
  for (const layer of layers) await tell(containerd, store, layer)
  await tell(containerd, store, target, {
    [`${KEEPS}.content.config`]: config.digest,
    ...Object.fromEntries(layers.map(({ digest }, index) => [`${KEEPS}.content.l.${index}`, digest])),
  })
  for (const [index, layer] of layers.entries()) {
    const { digest } = layer
    const stored = {
      path: store.pathOf(digest.replace('sha256:', '')),
      digest,
      diffId: parts.layers[index]?.diffId ?? '',
    }
    await unpackOver(
      containerd,
      { ...layer, ...stored },
      { root, parent: chain[index - 1] ?? '', name: chain[index] ?? '' },
    )
  }
  for (const { whole } of names) {
    const image = { image: { name: whole, target: { ...target } } }
    if (!(await containerd.tries('Images/Create', image))) await containerd.call('Images/Update', image)
  }
}

/** What containerd makes of the list of docker's archive. Source: containerd images/archive/importer.go (1.6). */
function dockerManifest({ config, layers }: Parts): { readonly mediaType: string; readonly content: JsonObject } {
  const mediaType = `${DOCKER}.distribution.manifest.v2+json`
  const layerType = `${DOCKER}.image.rootfs.diff.tar`
  const content = {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(config, `${DOCKER}.container.image.v1+json`),
    layers: layers.map(({ file }) => descriptorOf(file, file.compressed ? `${layerType}.gzip` : layerType)),
  }
  return { mediaType, content: content as unknown as JsonObject }
}

function descriptorOf({ checksum, size }: Part, mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${checksum}`, size }
}

/** Content that has its place becomes content that containerd has. Throws a CriError when it is not there. */
async function tell(
  { tries }: Containerd,
  store: Store,
  { digest, size }: Descriptor,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  // At its end already: what is there counts as written.
  await tries('Content/Write', {
    offset: size,
    action: COMMIT,
    ref: `kubestep-${digest}-${randomUUID()}`,
    total: size,
    expected: digest,
    labels,
  })
  store.told(digest.replace('sha256:', ''))
}

/** Names of what layers are together, from the lowest up. Source: OCI image spec, ChainID. */
function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = []
  for (const diffId of diffIds)
    chain.push(chain.length === 0 ? diffId : `sha256:${sha256(`${chain.at(-1)} ${diffId}`)}`)
  return chain
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
