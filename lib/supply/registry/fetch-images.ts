/** Images into the cache, as archives that a runtime imports. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { keepRecord, recordFault, recordFile, removeFile } from '../fetch/cache-store.ts'
import type { Lock } from '../fetch/digest-lock.ts'
import { impatient, obtain, unvouched } from '../fetch/download.ts'
import { FetchError } from '../fetch/fetch-failure.ts'
import type { OnProgress } from '../fetch/fetch-progress.ts'
import type { Descriptor } from '../fetch/manifest.ts'
import type { Network } from '../fetch/network.ts'
import type { Queue } from '../fetch/queue.ts'
import { type Reference, readReference } from '../fetch/reference.ts'
import { provenImage } from './image-proof.ts'
import { type Manifest, openRepository, type Repository } from './registry-client.ts'
import type { Registries } from './registry-facts.ts'
import { writeImageArchive } from './write-image-archive.ts'

export interface ImageStore {
  readonly cacheDir: string
  readonly arch: string
  readonly registries: Registries
  readonly lock: Lock
  readonly network: Network
  readonly queue: Queue
  readonly onProgress: OnProgress
  /** Hears of each image that is there, or that its registry has. */
  readonly onFound?: (name: string) => void
  /** Hears of each archive as soon as it is whole; what it throws counts as that image's failure. */
  readonly onImage?: (image: FetchedImage) => Promise<void>
}

export interface FetchedImage {
  /** As it was asked for. */
  readonly name: string
  /** The archive. */
  readonly path: string
  /** `sha256:...` of what the tag stands for. */
  readonly digest: string
  /** `sha256:...` of its configuration: what a runtime that was given it has to know it by. */
  readonly id: string
  /** Whether it was there already. */
  readonly cached: boolean
}

/** Where the archive of an image lies in the cache. */
export function imageFile(cacheDir: string, { host, repository, tag, digest }: Reference, arch: string): string {
  const version = `${tag ?? ''}${digest?.replace(':', '-') ?? ''}`
  return join(cacheDir, 'images', arch, host.replaceAll(':', '_'), repository, `${version}.tar`)
}

/** Whether the cache has something for each of the images; what it is worth is seen when they are fetched. */
export function isHeld(images: readonly string[], cacheDir: string, arch: string): boolean {
  return images.every(image => existsSync(imageFile(cacheDir, readReference(image), arch)))
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
      for (const file of [blobFile(store, digest), recordFile(blobFile(store, digest))]) removeFile(file)
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
  const digest = lock.get(reference.name)
  const locked = digest === undefined ? reference.digest : `sha256:${digest}`
  const endpoints = store.registries.endpoints(reference)
  const open = (through: Network): Repository =>
    openRepository(reference, through, {
      endpoints,
      findCredentials: store.registries.findCredentials,
      ...(locked !== undefined && { locked }),
      onRetry: (reason, pauseMs) => onProgress({ kind: 'retry', name: shown, reason, pauseMs }),
    })
  const there = await provenImage(path, reference, arch)
  if (there === undefined && existsSync(path))
    onProgress({ kind: 'notice', text: `${shown} in the cache is damaged, or another one: it does not count` })
  if (there !== undefined && (await isWanted(there.source, locked, { name: shown, path, open }, store))) {
    onProgress({ kind: 'cached', name: shown })
    store.onFound?.(name)
    return { name, path, cached: true, digest: there.source, id: there.id }
  }
  if (!network.offline) onProgress({ kind: 'start', name: shown, host: new URL(endpoints[0]?.base ?? '').host })
  const repository = open(network)
  const manifest = await repository.manifest(arch)
  const tell = summary(shown, manifest, onProgress)
  checkSize(name, tell.total, network)
  store.onFound?.(name)
  const fetchBlob = (descriptor: Descriptor): Promise<string> => {
    const { digest, size } = descriptor
    const known = blobs.get(digest)
    if (known !== undefined) return known.then(path => tell.whole(descriptor, path))
    const blob = blobFile(store, digest)
    const checksum = digest.replace('sha256:', '')
    const wanted = { name: shown, urls: repository.blobUrls(descriptor), file: blob, mode: 0o644, checksum, size }
    const fetched = store
      .queue(() => obtain(wanted, repository.network, tell.part(digest)))
      .then(() => tell.whole(descriptor, blob))
    blobs.set(digest, fetched)
    return fetched
  }
  const outcomes = await Promise.allSettled([manifest.config, ...manifest.layers].map(fetchBlob))
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const [config = '', ...layers] = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : ''))
  checkArchitecture(name, config, arch)
  const { source, index, bytes } = manifest
  await writeImageArchive(path, {
    name: reference.name,
    source,
    ...(index !== undefined && { index: { digest: source, size: index.length, content: { bytes: index } } }),
    ...(reference.tag !== undefined && { tag: reference.tag }),
    arch,
    mediaType: manifest.mediaType,
    manifest: { digest: manifest.digest, size: bytes.length, content: { bytes } },
    config: { ...manifest.config, content: { file: config } },
    layers: manifest.layers.map((layer, index) => ({ ...layer, content: { file: layers[index] ?? '' } })),
  })
  await keepRecord(path, source.replace('sha256:', ''))
  onProgress({ kind: 'done', name: shown, bytes: tell.total })
  return { name, path, digest: source, id: manifest.config.digest, cached: false }
}

interface Cached {
  readonly name: string
  readonly path: string
  readonly open: (network: Network) => Repository
}

/**
 * Whether an image of the cache, which is whole and was fetched by the digest `there`, is the one: as the lock says, or
 * the name itself, or else its registry now; where nobody can be asked, as it was recorded in a store of our own.
 */
async function isWanted(
  there: string,
  locked: string | undefined,
  { name, path, open }: Cached,
  { network, onProgress }: ImageStore,
): Promise<boolean> {
  if (locked !== undefined) return there === locked
  const doubt = recordFault(path, there.replace('sha256:', ''))
  if (network.offline) {
    if (doubt !== undefined) throw unvouched(name, doubt)
    return true
  }
  try {
    return there === (await open(impatient(network)).source())
  } catch (error) {
    if (!(error instanceof FetchError) || doubt !== undefined) throw error
    onProgress({
      kind: 'notice',
      text: `${name} is taken from the cache as it was recorded: nobody answers for it now`,
    })
    return true
  }
}

/** What a manifest says of sizes is what a stranger wrote. */
function checkSize(name: string, bytes: number, { limits }: Network): void {
  if (bytes <= limits.imageBytes) return
  throw new KubestepError(
    `images: cannot use image "${name}": it has ${bytes} bytes, and ${limits.imageBytes} are the most; choose another`,
  )
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
