/** Images into the cache, as archives that a runtime imports. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../errors.ts'
import { download } from './download.ts'
import { writeImageArchive } from './image-archive.ts'
import type { Network } from './network.ts'
import type { OnProgress } from './progress.ts'
import type { Queue } from './queue.ts'
import { type Reference, readReference } from './reference.ts'
import { type Descriptor, type Manifest, openRepository } from './registry.ts'
import { isIntact, keepChecksum, removeFile, sumFile } from './store.ts'

export interface ImageStore {
  readonly cacheDir: string
  readonly arch: string
  readonly network: Network
  readonly queue: Queue
  readonly onProgress: OnProgress
}

/** Where the archive of an image lies in the cache. */
export function imageFile(cacheDir: string, { host, repository, tag, digest }: Reference, arch: string): string {
  const version = `${tag ?? ''}${digest?.replace(':', '-') ?? ''}`
  return join(cacheDir, 'images', arch, host.replaceAll(':', '_'), repository, `${version}.tar`)
}

/**
 * Archives of images, in the order of the names; those that the cache has are not fetched. Gives the outcome of each:
 * the path, or what went wrong (a FetchError or another KubestepError).
 */
export async function fetchImages(
  names: readonly string[],
  store: ImageStore,
): Promise<readonly PromiseSettledResult<string>[]> {
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

async function fetchImage(name: string, store: ImageStore, blobs: Map<string, Promise<string>>): Promise<string> {
  const { cacheDir, arch, network, onProgress } = store
  const reference = readReference(name)
  const file = imageFile(cacheDir, reference, arch)
  const shown = `image ${name}`
  if (await isIntact(file)) {
    onProgress({ kind: 'cached', name: shown })
    return file
  }
  onProgress({ kind: 'start', name: shown, host: reference.host })
  const onRetry = (reason: string, pauseMs: number): void => onProgress({ kind: 'retry', name: shown, reason, pauseMs })
  const repository = openRepository(reference, network, onRetry)
  const manifest = await repository.manifest(arch)
  const tell = summary(shown, manifest, onProgress)
  const fetchBlob = (descriptor: Descriptor): Promise<string> => {
    const { digest, size } = descriptor
    const known = blobs.get(digest)
    if (known !== undefined) return known.then(path => tell.whole(descriptor, path))
    const path = blobFile(store, digest)
    const checksum = digest.replace('sha256:', '')
    const wanted = { name: shown, urls: [repository.blobUrl(descriptor)], file: path, mode: 0o644, checksum, size }
    const fetched = isIntact(path).then(async intact => {
      if (!intact)
        await store.queue(() => download({ ...wanted, headers: repository.headers }, network, tell.part(digest)))
      return tell.whole(descriptor, path)
    })
    blobs.set(digest, fetched)
    return fetched
  }
  const outcomes = await Promise.allSettled([manifest.config, ...manifest.layers].map(fetchBlob))
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const [config = '', ...layers] = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : ''))
  checkArchitecture(name, config, arch)
  await writeImageArchive(file, {
    name: reference.name,
    ...(reference.tag !== undefined && { tag: reference.tag }),
    arch,
    mediaType: manifest.mediaType,
    manifest: { digest: manifest.digest, size: manifest.bytes.length, content: { bytes: manifest.bytes } },
    config: { ...manifest.config, content: { file: config } },
    layers: manifest.layers.map((layer, index) => ({ ...layer, content: { file: layers[index] ?? '' } })),
  })
  await keepChecksum(file)
  onProgress({ kind: 'done', name: shown, bytes: tell.total })
  return file
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
