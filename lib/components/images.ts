/** Images into the cache, as archives that a runtime imports. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../errors.ts'
import { download } from './download.ts'
import { archiveSource, writeImageArchive } from './image-archive.ts'
import type { Lock } from './lock.ts'
import type { Network } from './network.ts'
import type { OnProgress } from './progress.ts'
import type { Queue } from './queue.ts'
import { type Reference, readReference } from './reference.ts'
import type { Registries } from './registries.ts'
import { type Descriptor, type Manifest, openRepository } from './registry.ts'
import { isIntact, keepChecksum, removeFile, sumFile } from './store.ts'

export interface ImageStore {
  readonly cacheDir: string
  readonly arch: string
  readonly registries: Registries
  readonly lock: Lock
  readonly network: Network
  readonly queue: Queue
  readonly onProgress: OnProgress
  /** Hears of each archive as soon as it is whole; what it throws counts as that image's failure. */
  readonly onImage?: (image: FetchedImage) => Promise<void>
}

export interface FetchedImage {
  /** As it was asked for. */
  readonly name: string
  /** The archive. */
  readonly path: string
  /** `sha256:...` of what the tag stands for; undefined when an older run did not write it down. */
  readonly digest?: string
  /** Whether it was there already. */
  readonly cached: boolean
}

/** Where the archive of an image lies in the cache. */
export function imageFile(cacheDir: string, { host, repository, tag, digest }: Reference, arch: string): string {
  const version = `${tag ?? ''}${digest?.replace(':', '-') ?? ''}`
  return join(cacheDir, 'images', arch, host.replaceAll(':', '_'), repository, `${version}.tar`)
}

/**
 * Archives of images, begun in the order of the names; those that the cache has are not fetched. Gives the outcome of
 * each, or what went wrong (a FetchError or another KubestepError).
 */
export async function fetchImages(
  names: readonly string[],
  store: ImageStore,
): Promise<readonly PromiseSettledResult<FetchedImage>[]> {
  // Images share layers: each comes once.
  const blobs = new Map<string, Promise<string>>()
  const outcomes = await Promise.allSettled(names.map(name => fetchImage(name, store, blobs)))
  // The archives have it all now; what a failed image has brought stays for the next run.
  if (outcomes.every(({ status }) => status === 'fulfilled')) {
    for (const digest of blobs.keys()) {
      for (const file of [blobFile(store, digest), sumFile(blobFile(store, digest))]) removeFile(file)
    }
  }
  return outcomes
}

async function fetchImage(name: string, store: ImageStore, blobs: Map<string, Promise<string>>): Promise<FetchedImage> {
  const image = await archiveOf(name, store, blobs)
  await store.onImage?.(image)
  return image
}

async function archiveOf(name: string, store: ImageStore, blobs: Map<string, Promise<string>>): Promise<FetchedImage> {
  const { cacheDir, arch, network, onProgress, lock } = store
  const reference = readReference(name)
  const path = imageFile(cacheDir, reference, arch)
  const shown = `image ${name}`
  const locked = lock.get(reference.name)
  if (await isIntact(path)) {
    const digest = await archiveSource(path)
    // The lock may be newer than the cache.
    if (locked === undefined || digest === `sha256:${locked}`) {
      onProgress({ kind: 'cached', name: shown })
      return { name, path, cached: true, ...(digest !== undefined && { digest }) }
    }
  }
  const endpoints = store.registries.endpoints(reference)
  if (!network.offline) onProgress({ kind: 'start', name: shown, host: new URL(endpoints[0]?.base ?? '').host })
  const repository = openRepository(reference, network, {
    endpoints,
    findCredentials: store.registries.findCredentials,
    ...(locked !== undefined && { locked: `sha256:${locked}` }),
    onRetry: (reason, pauseMs) => onProgress({ kind: 'retry', name: shown, reason, pauseMs }),
  })
  const manifest = await repository.manifest(arch)
  const tell = summary(shown, manifest, onProgress)
  const fetchBlob = (descriptor: Descriptor): Promise<string> => {
    const { digest, size } = descriptor
    const known = blobs.get(digest)
    if (known !== undefined) return known.then(path => tell.whole(descriptor, path))
    const blob = blobFile(store, digest)
    const checksum = digest.replace('sha256:', '')
    const wanted = { name: shown, urls: repository.blobUrls(descriptor), file: blob, mode: 0o644, checksum, size }
    const fetched = isIntact(blob).then(async intact => {
      if (!intact) await store.queue(() => download(wanted, repository.network, tell.part(digest)))
      return tell.whole(descriptor, blob)
    })
    blobs.set(digest, fetched)
    return fetched
  }
  const outcomes = await Promise.allSettled([manifest.config, ...manifest.layers].map(fetchBlob))
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const [config = '', ...layers] = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : ''))
  checkArchitecture(name, config, arch)
  await writeImageArchive(path, {
    name: reference.name,
    source: manifest.source,
    ...(reference.tag !== undefined && { tag: reference.tag }),
    arch,
    mediaType: manifest.mediaType,
    manifest: { digest: manifest.digest, size: manifest.bytes.length, content: { bytes: manifest.bytes } },
    config: { ...manifest.config, content: { file: config } },
    layers: manifest.layers.map((layer, index) => ({ ...layer, content: { file: layers[index] ?? '' } })),
  })
  await keepChecksum(path)
  onProgress({ kind: 'done', name: shown, bytes: tell.total })
  return { name, path, digest: manifest.source, cached: false }
}

interface Summary {
  readonly total: number
  /** Listens to the transfer of one blob. */
  readonly part: (digest: string) => OnProgress
  /** Counts a blob that is there; gives its path. */
  readonly whole: (descriptor: Descriptor, path: string) => string
}

/** Tells of an image what is heard of its blobs. */
function summary(name: string, { config, layers }: Manifest, onProgress: OnProgress): Summary {
  const sizes = new Map([config, ...layers].map(({ digest, size }) => [digest, size]))
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const received = new Map<string, number>()
  const count = (digest: string, bytes: number): void => {
    received.set(digest, bytes)
    onProgress({ kind: 'bytes', name, received: [...received.values()].reduce((sum, one) => sum + one, 0), total })
  }
  return {
    total,
    part: digest => progress => {
      if (progress.kind === 'bytes') count(digest, progress.received)
      if (progress.kind === 'retry') onProgress(progress)
    },
    whole: ({ digest, size }, path) => {
      count(digest, size)
      return path
    },
  }
}

/** A mirror may hold an image for one architecture alone, and not say so. */
function checkArchitecture(name: string, configFile: string, arch: string): void {
  let architecture: unknown
  try {
    architecture = JSON.parse(readFileSync(configFile, 'utf8')).architecture
  } catch (error) {
    throw new KubestepError(`images: cannot use image "${name}": its configuration is damaged (${reasonOf(error)})`, {
      cause: error,
    })
  }
  if (architecture === undefined || architecture === arch) return
  throw new KubestepError(
    `images: cannot use image "${name}": it is for ${architecture} and this has to be ${arch}; choose another repository`,
  )
}

function blobFile({ cacheDir }: ImageStore, digest: string): string {
  return join(cacheDir, 'blobs', digest.replace(':', '/'))
}
