/** The runtime of a live cluster: chosen, started where it is ours, with the images that a cluster begins with. */
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { which } from '../command.ts'
import { fetchingOf } from '../components/fetching.ts'
import { readMirrors } from '../components/mirrors.ts'
import { architecture } from '../components/platform.ts'
import type { Fetching } from '../components/prepare.ts'
import { registryFiles, registryPath } from '../components/registry-folder.ts'
import { reporterOf } from '../components/reporter.ts'
import type { InitConfig } from '../config/types.ts'
import { KubestepError } from '../errors.ts'
import { writeFiles } from '../files.ts'
import type { MachineFacts } from '../host/machine.ts'
import { type ImageName, imageList, imageOf } from '../images/images.ts'
import { LAYOUT } from '../layout.ts'
import { giveImageName, type ImageNaming } from '../runtime/image-names.ts'
import { importArchives, presentImages } from '../runtime/images.ts'
import { startPrivateRuntime } from '../runtime/private.ts'
import { criFault, type Runtime, type RuntimeChoice } from '../runtime/runtime.ts'
import type { Call } from '../script.ts'
import type { ServiceManager } from '../service/service.ts'
import { secondsText } from '../timings.ts'
import type { CniFolders } from './pod-network.ts'

/** The socket that a choice will serve, before it is started. */
export function socketOf(choice: RuntimeChoice): string {
  return choice.kind === 'socket' ? choice.socket : `unix://${LAYOUT.containerd.socket}`
}

/**
 * Starts a private runtime, which knows the mirrors of `--mirror`, or takes the chosen one.
 * Throws a KubestepError when it cannot carry the version.
 */
export async function openChosenRuntime(
  choice: RuntimeChoice,
  config: InitConfig,
  machine: MachineFacts,
  services: ServiceManager,
  cni: CniFolders,
  mirror?: string,
): Promise<Runtime> {
  const { hosts } = LAYOUT.containerd
  const registries = choice.kind === 'socket' ? [] : registryFiles(readMirrors(mirror), hosts)
  writeFiles('/', registries)
  const runtime =
    choice.kind === 'socket'
      ? choice.runtime
      : await startPrivateRuntime(services, {
          registryConfig: registryPath(registries, hosts),
          pauseImage: imageOf('pause', config),
          cgroupDriver: machine.systemd ? 'systemd' : 'cgroupfs',
          restrictOomScore: !machine.mayLowerOomScore,
          cniBinDir: cni.binDir,
          cniConfDir: cni.confDir,
        })
  const fault = criFault(runtime, config.version.minor)
  if (fault !== undefined) throw new KubestepError(`runtime: cannot use "${runtime.cri.socket}": ${fault}`)
  return runtime
}

/** Images of the Pods that everything else waits for. */
const FIRST: readonly ImageName[] = ['pause', 'etcd', 'kube-apiserver']

export interface ImageSteps {
  /** Ends when the images of the first static Pods are in the runtime. */
  readonly first: Promise<void>
  readonly all: Promise<void>
}

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
  const images = loadImages(runtime, config, imageList(config), {
    archives,
    onImported,
    ...(naming !== undefined && { naming }),
    ...(flags.artifacts === undefined && { fetching: fetchingOf(flags, deadline, reporter.onProgress) }),
  })
  const all = images.all.finally(reporter.end).then(() => {
    task.done(`[images] All ${imageList(config).length} are there after ${secondsText(mark('all images'))}`)
  })
  all.catch(() => {})
  return { first: images.first, all }
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

/** Puts images into the runtime: archives, the ones that are needed first ahead of the others; then what is missing is pulled. */
export function loadImages(
  runtime: Runtime,
  config: InitConfig,
  wanted: readonly string[],
  sources: ImageSources,
): ImageSteps {
  // In the cache the name is that of the folder.
  const named = (archive: string): string => `${basename(dirname(archive))}/${basename(archive)}`
  const isFirst = (archive: string): boolean => FIRST.some(name => named(archive).includes(name))
  const ahead = sources.archives.filter(isFirst)
  const others = sources.archives.filter(archive => !isFirst(archive))
  const firstWanted = FIRST.map(name => imageOf(name, config)).filter(image => wanted.includes(image))
  // Archives may have any name: when the likely ones do not hold the first images, the others are next.
  const first = provide(runtime, firstWanted, [ahead, others], sources).then(async () => {
    if (sources.naming !== undefined) await giveImageName(runtime, sources.naming)
  })
  const all = first.then(() => provide(runtime, wanted, [others], sources))
  all.catch(() => {})
  return { first, all }
}

async function provide(
  runtime: Runtime,
  wanted: readonly string[],
  batches: readonly (readonly string[])[],
  { fetching, onImported }: ImageSources,
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
    await importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, archives, onImported)
    missing = await absent()
  }
  if (missing.length === 0) return
  if (fetching === undefined) {
    throw new KubestepError(
      `images: cannot find ${missing.join(', ')}: no archive of the --artifacts folder has them, and nothing is downloaded; put them into its images folder (docker or OCI archives with these tags)`,
    )
  }
  const { pullImages } = await import('../images/pull.ts')
  await pullImages(missing, runtime, { ...fetching, arch: architecture() })
}
