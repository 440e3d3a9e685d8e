/** The images of a cluster into its runtime, in the order in which they are needed, and so that nobody waits for others'. */
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { architecture } from '../../base/platform.ts'
import { secondsText } from '../../base/timings.ts'
import type { Call } from '../../cli/script.ts'
import { type ImageName, imageList, imageOf } from '../../kubeadm/images/image-list.ts'
import { which } from '../../machine/command.ts'
import type { Fetching } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetching.ts'
import { reporterOf } from '../../supply/components/reporter.ts'
import { openQueue } from '../../supply/fetch/queue.ts'
import { placeArchive } from '../../supply/load/place-archive.ts'
import { giveImageName, type ImageNaming } from '../../supply/runtime/image-names.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { importArchives, presentImages } from '../../supply/runtime/runtime-images.ts'

/** When the images of what are in the runtime. */
export interface ImageSteps {
  /** The first static Pods. */
  readonly first: Promise<void>
  /** The controller manager and the scheduler, which wait for an API server that answers. */
  readonly controllers: Promise<void>
  /** CoreDNS and kube-proxy, which wait for a scheduler. */
  readonly addons: Promise<void>
  /** Everything, archives of the user's own too. */
  readonly all: Promise<void>
}

/** What each step needs besides what the ones before it have. */
const STEPS: Readonly<Record<Exclude<keyof ImageSteps, 'all'>, readonly ImageName[]>> = {
  first: ['pause', 'etcd', 'kube-apiserver'],
  controllers: ['kube-controller-manager', 'kube-scheduler'],
  addons: ['kube-proxy', 'coredns'],
}

/** Archives on their way into the runtime: one is read while another is unpacked. */
const AT_ONCE = 2

/** What loading images is part of. */
export interface ImageRun {
  readonly call: Pick<Call, 'flags' | 'output'>
  readonly deadline: AbortSignal
  /** Notes that something has been reached now; gives when that is. */
  readonly mark: (reached: string) => number
  /** What the runtime calls the image of its sandboxes. */
  readonly naming?: ImageNaming
}

/** Puts every image of a cluster into the runtime, from archives or else from the network, and says how far it is. */
export function loadClusterImages(
  runtime: Runtime,
  config: InitConfig,
  archives: readonly string[],
  { call: { flags, output }, deadline, mark, naming }: ImageRun,
): ImageSteps {
  const sizes = new Map(archives.map(archive => [archive, statSync(archive).size]))
  const total = sizesOf(archives, sizes)
  const files = `${archives.length} archive${archives.length === 1 ? '' : 's'} (${total} MB)`
  const task = output.begin('images', archives.length === 0 ? undefined : `[images] Importing ${files}`)
  const imported: string[] = []
  const onImported = (archive: string): void => {
    imported.push(archive)
    task.tell(`${imported.length} of ${archives.length} archives, ${sizesOf(imported, sizes)} of ${total} MB`)
    output.detail(`[images] Imported "${archive}"`)
  }
  const reporter = reporterOf({ flags, output })
  const images = loadImages(runtime, config, {
    archives,
    onImported,
    ...(naming !== undefined && { naming }),
    ...(flags.artifacts === undefined && { fetching: fetchingOf(flags, deadline, reporter.onProgress) }),
  })
  const all = images.all.finally(reporter.end).then(() => {
    task.done(`[images] All ${imageList(config).length} are there after ${secondsText(mark('all images'))}`)
  })
  all.catch(() => {})
  return { ...images, all }
}

function sizesOf(archives: readonly string[], sizes: ReadonlyMap<string, number>): number {
  return Math.round(archives.reduce((sum, archive) => sum + (sizes.get(archive) ?? 0), 0) / 1e6)
}

export interface ImageSources {
  readonly archives: readonly string[]
  /** Hears of each archive that is in the runtime. */
  readonly onImported?: (archive: string) => void
  /** How what no archive has is pulled; nothing is without. */
  readonly fetching?: Fetching
  /** What the runtime calls the image of its sandboxes. */
  readonly naming?: ImageNaming
}

/** Puts images into the runtime step by step. */
export function loadImages(runtime: Runtime, config: InitConfig, sources: ImageSources): ImageSteps {
  const left = new Set(sources.archives)
  const wanted = imageList(config)
  // In the cache the name is that of the folder.
  const named = (archive: string): string => `${basename(dirname(archive))}/${basename(archive)}`
  const step = (names: readonly ImageName[]): Promise<void> => {
    const images = names.map(name => imageOf(name, config)).filter(image => wanted.includes(image))
    const likely = [...left].filter(archive => names.some(name => named(archive).includes(name)))
    // Archives may have any name: when the likely ones do not hold the images, the others are next.
    return provide(runtime, images, [likely, [...left].filter(archive => !likely.includes(archive))], left, sources)
  }
  const first = step(STEPS.first).then(async () => {
    if (sources.naming !== undefined) await giveImageName(runtime, sources.naming)
  })
  const controllers = first.then(() => step(STEPS.controllers))
  const addons = controllers.then(() => step(STEPS.addons))
  const all = addons.then(async () => {
    await provide(runtime, wanted, [[...left]], left, sources)
    await importAll(runtime, [...left], left, sources)
  })
  for (const promise of [first, controllers, addons, all]) promise.catch(() => {})
  return { first, controllers, addons, all }
}

/** Imports until the images are there; what no archive has is pulled. */
async function provide(
  runtime: Runtime,
  wanted: readonly string[],
  batches: readonly (readonly string[])[],
  left: Set<string>,
  sources: ImageSources,
): Promise<void> {
  const absent = async (): Promise<string[]> => {
    const present = await presentImages(runtime.cri)
    return wanted.filter(image => !present.has(image))
  }
  let missing = await absent()
  for (const archives of batches) {
    if (missing.length === 0) return
    if (archives.length > 0 && runtime.name !== 'containerd') {
      throw new KubestepError(
        `images: cannot import ${missing.join(', ')} into ${runtime.name}: it has no call for that; load the archives by its own tools (podman load --input FILE), or use --runtime private`,
      )
    }
    await importAll(runtime, archives, left, sources)
    missing = await absent()
  }
  if (missing.length === 0) return
  if (sources.fetching === undefined) {
    throw new KubestepError(
      `images: cannot find ${missing.join(', ')}: no archive of the --artifacts folder has them, and nothing is downloaded; put them into its images folder (docker or OCI archives with these tags)`,
    )
  }
  const { pullImages } = await import('../../supply/images/pull-images.ts')
  await pullImages(missing, runtime, { ...sources.fetching, arch: architecture() })
}

async function importAll(
  runtime: Runtime,
  archives: readonly string[],
  left: Set<string>,
  { onImported }: ImageSources,
): Promise<void> {
  // Somebody else's CRI-O has no call for it; what it lacks of a cluster's images has been said.
  if (runtime.name !== 'containerd') return
  const queue = openQueue(AT_ONCE)
  await Promise.all(
    archives.map(archive =>
      queue(async () => {
        if (!runtime.ours || !(await placed(runtime, archive)))
          await importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, [archive])
        left.delete(archive)
        onImported?.(archive)
      }),
    ),
  )
}

/** Whether an archive could be put into a containerd of our own in the short way. */
async function placed(runtime: Runtime, archive: string): Promise<boolean> {
  try {
    await placeArchive(runtime, LAYOUT.containerd.root, archive, `linux/${architecture()}`)
    return true
  } catch {
    return false
  }
}
