/** The images of a cluster into its runtime, in the order in which they are needed, and so that nobody waits for others'. */
import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { architecture } from '../../base/platform.ts'
import { secondsText } from '../../base/stopwatch.ts'
import type { Call } from '../../cli/script.ts'
import { CONTROL_PLANE_ALONE, type ImageName, imageList, imageOf } from '../../kubeadm/images/image-list.ts'
import { which } from '../../machine/command.ts'
import type { Fetching } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetch-options.ts'
import { reporterOf } from '../../supply/components/reporter.ts'
import { openQueue } from '../../supply/fetch/queue.ts'
import { withHeld } from '../../supply/load/held-archive.ts'
import { areInPlace } from '../../supply/load/images-in-place.ts'
import { placeArchive } from '../../supply/load/place-archive.ts'
import { giveImageName, type ImageNaming } from '../../supply/runtime/image-names.ts'
import { imageIds, importArchives, presentImages } from '../../supply/runtime/import-archives.ts'
import { pinImage } from '../../supply/runtime/pinned-image.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'

/** When the images of what are in the runtime. */
export interface ImageSteps {
  /** The sandboxes and etcd. */
  readonly first: Promise<void>
  readonly apiserver: Promise<void>
  /** The controller manager and the scheduler, which wait for an API server that answers. */
  readonly controllers: Promise<void>
  /** CoreDNS and kube-proxy, which wait for a scheduler. */
  readonly addons: Promise<void>
  /** Everything, archives of the user's own too. */
  readonly all: Promise<void>
}

/** What each step needs besides what the ones before it have. */
const STEPS: Readonly<Record<Exclude<keyof ImageSteps, 'all'>, readonly ImageName[]>> = {
  first: ['pause', 'etcd'],
  apiserver: ['kube-apiserver'],
  controllers: ['kube-controller-manager', 'kube-scheduler'],
  addons: ['kube-proxy', 'coredns'],
}

/** So many archives at once that half of the processors are left for the cluster that comes up meanwhile. */
const AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2))

const PLATFORM = `linux/${architecture()}`

/** What loading images is part of. */
export interface ImageRun {
  readonly call: Pick<Call, 'flags' | 'output'>
  readonly deadline: AbortSignal
  /** Notes that something has been reached now; gives when that is. */
  readonly mark: (reached: string) => number
  /** What the runtime calls the image of its sandboxes. */
  readonly naming?: ImageNaming
}

/** Archives of images: those that are there, and how the others come. */
export interface GivenArchives {
  readonly there: readonly string[]
  /** That of an image, as soon as it is whole. */
  readonly coming?: (image: string) => Promise<string>
  /** What those have to hold that were looked at: ids of images, by path. */
  readonly ids?: ReadonlyMap<string, string>
}

// In the cache the name is that of the folder.
function named(archive: string): string {
  return `${basename(dirname(archive))}/${basename(archive)}`
}

/** Whether a node of that kind may have use for an archive, by its name. */
export function isNeeded(archive: string, { joins }: Pick<InitConfig, 'joins'>): boolean {
  return joins !== 'worker' || !CONTROL_PLANE_ALONE.some(name => named(archive).includes(name))
}

/** Puts every image of a cluster into the runtime, from archives or else from the network, and says how far it is. */
export function loadClusterImages(
  runtime: Runtime,
  config: InitConfig,
  { there, coming, ids }: GivenArchives,
  { call: { flags, output }, deadline, mark, naming }: ImageRun,
): ImageSteps {
  const archives = there.filter(archive => isNeeded(archive, config))
  const wanted = imageList(config)
  const count = coming === undefined ? archives.length : wanted.length
  const size = coming === undefined ? ` (${sizesOf(archives)} MB)` : ', each as it comes'
  const files = `${count} archive${count === 1 ? '' : 's'}${size}`
  const task = output.begin('images', count === 0 ? undefined : `[images] Importing ${files}`)
  const imported: string[] = []
  const onImported = (archive: string): void => {
    imported.push(archive)
    task.tell(`${imported.length} of ${count} archives, ${sizesOf(imported)} MB`)
    output.detail(`[images] Imported "${archive}"`)
  }
  const reporter = reporterOf({ flags, output })
  const images = loadImages(runtime, config, {
    archives,
    onImported,
    ...(coming !== undefined && { coming }),
    ...(ids !== undefined && { ids }),
    ...(naming !== undefined && { naming }),
    ...(flags.artifacts === undefined && { fetching: fetchingOf(flags, deadline, reporter.onProgress) }),
  })
  const all = images.all.finally(reporter.end).then(() => {
    task.done(`[images] All ${wanted.length} are there after ${secondsText(mark('all images'))}`)
  })
  all.catch(() => {})
  return { ...images, all }
}

function sizesOf(archives: readonly string[]): number {
  return Math.round(archives.reduce((sum, archive) => sum + statSync(archive).size, 0) / 1e6)
}

export interface ImageSources {
  readonly archives: readonly string[]
  /** The archive of an image that is on its way. */
  readonly coming?: (image: string) => Promise<string>
  readonly ids?: GivenArchives['ids']
  /** Hears of each archive that is in the runtime. */
  readonly onImported?: (archive: string) => void
  /** How what no archive has is pulled; nothing is without. */
  readonly fetching?: Fetching
  /** What the runtime calls the image of its sandboxes. */
  readonly naming?: ImageNaming
}

/** Puts images into the runtime step by step. */
export function loadImages(runtime: Runtime, config: InitConfig, sources: ImageSources): ImageSteps {
  const load = importer(runtime, sources)
  const wanted = imageList(config)
  const atFirst = presentImages(runtime.cri)
  const step = async (names: readonly ImageName[], before: Promise<void>): Promise<void> => {
    const images = names.map(name => imageOf(name, config)).filter(image => wanted.includes(image))
    const there = await atFirst
    const missing = images.filter(image => !there.has(image))
    if (missing.length === 0) return
    const likely =
      sources.coming === undefined
        ? sources.archives.filter(archive => names.some(name => named(archive).includes(name)))
        : await Promise.all(missing.map(sources.coming))
    // Archives may have any name: when the likely ones do not hold the images, the others are next.
    await provide(runtime, images, [likely, sources.archives], load, before, sources)
  }
  // All of them begin now, and stand in line by need.
  const first = step(STEPS.first, Promise.resolve()).then(async () => {
    if (sources.naming !== undefined) await giveImageName(runtime, sources.naming)
  })
  const apiserver = step(STEPS.apiserver, first)
  const controllers = step(STEPS.controllers, apiserver)
  const addons = step(STEPS.addons, controllers)
  const all = Promise.all([first, apiserver, controllers, addons]).then(async () => {
    if (runtime.ours) await pinImage(runtime.cri.socket, imageOf('pause', config))
    await provide(runtime, wanted, [sources.archives], load, addons, sources)
    await load(sources.archives)
  })
  for (const promise of [first, apiserver, controllers, addons, all]) promise.catch(() => {})
  return { first, apiserver, controllers, addons, all }
}

type Load = (archives: readonly string[]) => Promise<void>

/** Imports until the images are there; what no archive has is pulled, after what is needed `before`. */
async function provide(
  runtime: Runtime,
  wanted: readonly string[],
  batches: readonly (readonly string[])[],
  load: Load,
  before: Promise<void>,
  sources: ImageSources,
): Promise<void> {
  const absent = async (): Promise<string[]> => {
    const present = await presentImages(runtime.cri)
    return wanted.filter(image => !present.has(image))
  }
  let missing: readonly string[] = wanted
  for (const archives of batches) {
    await load(archives)
    missing = await absent()
    if (missing.length === 0) return
    if (archives.length > 0 && runtime.name !== 'containerd') {
      throw new KubestepError(
        `images: cannot import ${missing.join(', ')} into ${runtime.name}: it has no call for that; load the archives by its own tools (podman load --input FILE), or use --runtime private`,
      )
    }
  }
  if (sources.fetching === undefined) {
    throw new KubestepError(
      `images: cannot find ${missing.join(', ')}: no archive of the --artifacts folder has them, and nothing is downloaded; put them into its images folder (docker or OCI archives with these tags)`,
    )
  }
  await before
  const { pullImages } = await import('../../supply/images/pull-images.ts')
  await pullImages(missing, runtime, { ...sources.fetching, arch: architecture() })
}

/** Imports archives, each of them once, whoever asks for it. */
function importer(runtime: Runtime, { onImported, ids }: ImageSources): Load {
  const queue = openQueue(AT_ONCE)
  const present = imageIds(runtime.cri)
  present.catch(() => {})
  const begun = new Map<string, Promise<void>>()
  const work = async (archive: string): Promise<void> => {
    // Somebody else's CRI-O has no call for it; what it lacks of a cluster's images is said.
    if (runtime.name !== 'containerd') return
    const isThere =
      (await areInPlace(present, archive, PLATFORM)) ||
      (runtime.ours && (await placed(runtime, archive, ids?.get(archive))))
    if (!isThere)
      await withHeld(archive, PLATFORM, ids?.get(archive), held =>
        importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, [held]),
      )
    onImported?.(archive)
  }
  return async archives => {
    for (const archive of archives)
      if (!begun.has(archive))
        begun.set(
          archive,
          queue(() => work(archive)),
        )
    await Promise.all(archives.map(archive => begun.get(archive)))
  }
}

/** Whether an archive could be put into a containerd of our own in the short way. */
async function placed(runtime: Runtime, archive: string, id: string | undefined): Promise<boolean> {
  try {
    await placeArchive(runtime, LAYOUT.containerd.root, archive, PLATFORM, id)
    return true
  } catch {
    return false
  }
}
