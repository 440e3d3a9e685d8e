/** The components of a node at their place: from a folder, from the cache, or from the network. */
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { fileKey, openLock } from '../fetch/digest-lock.ts'
import { obtain } from '../fetch/download.ts'
import { FetchError, failureError } from '../fetch/fetch-failure.ts'
import type { OnProgress } from '../fetch/fetch-progress.ts'
import type { Limits } from '../fetch/limits.ts'
import { type Mirrors, readMirrors } from '../fetch/mirrors.ts'
import { openNetwork } from '../fetch/network.ts'
import { openQueue } from '../fetch/queue.ts'
import { type FetchedImage, fetchImages, type ImageStore } from '../registry/fetch-images.ts'
import { openRegistries } from '../registry/registry-facts.ts'
import { type Artifacts, type Programs, readArtifacts } from './artifacts.ts'
import { COMPONENTS, type Component, type ComponentName, isMirrored, sources, type Wish } from './component-table.ts'
import { isUnpacked, unpack } from './program-archive.ts'

/** How things are fetched. */
export interface Fetching {
  /** What `--mirror` says; see mirrors.ts. */
  readonly mirror?: string
  readonly cacheDir: string
  readonly deadline: AbortSignal
  readonly onProgress?: OnProgress
  readonly limits?: Partial<Limits>
  /** Nothing is contacted: what the cache lacks is an error. */
  readonly offline?: boolean
  /** File with the digests that count in place of the ones that come along. */
  readonly lock?: string
}

export interface Preparation extends Wish, Fetching {
  /** A folder that has everything; then nothing is fetched. */
  readonly artifacts?: string
  /** What is needed besides the kubelet; kubectl and the CNI plugins when left out. */
  readonly besides?: readonly Exclude<ComponentName, 'kubelet'>[]
  /** Images to have as archives; none when left out, since a runtime can pull them itself. */
  readonly images?: readonly string[]
}

/** Components on their way. Each of these fails with everything that went wrong, not with the first of it. */
export interface ComingComponents {
  /** They are not given before every image has been found, too: one that nobody has is told before anything begins. */
  readonly programs: Promise<Programs>
  /** The archive of one of the images, as soon as it is whole. */
  readonly archive: (image: string) => Promise<string>
  readonly all: Promise<Artifacts>
  /** What is known of the archives that have come, by their paths: `sha256:...` of the image's configuration. */
  readonly imageIds: ReadonlyMap<string, string>
}

/**
 * Makes sure of everything that was asked for; what the cache has, undamaged, is not fetched again. Gives paths on
 * this machine; they may lie in the cache or the user's folder, so what has to stay is to be copied.
 * Throws a KubestepError that tells of all faults at once, with the ways out when no host can be reached.
 */
export async function prepareComponents(preparation: Preparation): Promise<Artifacts> {
  const { version, arch, artifacts, images = [] } = preparation
  return artifacts === undefined
    ? bringComponents(preparation).all
    : readArtifacts(artifacts, { arch, version, images })
}

/** The same, of which each part can be used as soon as it is there. */
export function bringComponents(preparation: Preparation): ComingComponents {
  const { images = [], besides = ['kubectl', 'cni-plugins'] } = preparation
  const arrived = new Map<string, (path: string) => void>()
  const single = new Map(images.map(name => [name, new Promise<string>(resolve => arrived.set(name, resolve))]))
  const imageIds = new Map<string, string>()
  const found = new Map<string, () => void>()
  const finding = images.map(name => new Promise<void>(resolve => found.set(name, resolve)))
  let tell = (_programs: Programs): void => {}
  const first = new Promise<Programs>(resolve => {
    tell = resolve
  })
  const bring = async (shelf: Shelf): Promise<Artifacts> => {
    const wanted = COMPONENTS.filter(({ name }) => name === 'kubelet' || besides.includes(name))
    const provided = Promise.allSettled(wanted.map(component => provide(component, shelf)))
    const programsOf = (paths: readonly string[]): Programs => {
      const pathOf = (name: ComponentName): string | undefined => paths[wanted.findIndex(row => row.name === name)]
      const [kubelet = '', kubectl, cniBinDir] = [pathOf('kubelet'), pathOf('kubectl'), pathOf('cni-plugins')]
      return { kubelet, ...(kubectl !== undefined && { kubectl }), ...(cniBinDir !== undefined && { cniBinDir }) }
    }
    void provided.then(outcomes => {
      const paths = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      if (paths.length === wanted.length) tell(programsOf(paths))
    })
    const onImage = async ({ name, path, id }: FetchedImage): Promise<void> => {
      imageIds.set(path, id)
      arrived.get(name)?.(path)
    }
    const onFound = (name: string): void => found.get(name)?.()
    const [files, archives] = await Promise.all([provided, fetchImages(images, { ...shelf, onFound, onImage })])
    const paths = values<string | FetchedImage>([...files, ...archives], preparation.cacheDir).map(one =>
      typeof one === 'string' ? one : one.path,
    )
    return { ...programsOf(paths), imageArchives: paths.slice(wanted.length) }
  }
  const all = withShelf(preparation, preparation, images, bring)
  all.catch(() => {})
  // What has not come when all is over never will.
  const orFault = <T>(part: Promise<T>): Promise<T> => Promise.race([part, all.then(() => part)])
  const programs = orFault(Promise.all([first, ...finding]).then(([its]) => its))
  programs.catch(() => {})
  return {
    programs,
    archive: image => orFault(single.get(image) ?? new Promise<never>(() => {})),
    all,
    imageIds,
  }
}

/**
 * Archives of images in the cache, in the order of the names; `onImage` hears of each as soon as it is whole.
 * Throws a KubestepError that tells of all faults at once.
 */
export async function prepareImages(
  images: readonly string[],
  arch: string,
  fetching: Fetching,
  onImage?: ImageStore['onImage'],
): Promise<readonly FetchedImage[]> {
  return withShelf({ version: '', arch }, fetching, images, async shelf => {
    const outcomes = await fetchImages(images, { ...shelf, ...(onImage !== undefined && { onImage }) })
    return values(outcomes, fetching.cacheDir)
  })
}

interface Shelf extends Wish, ImageStore {
  readonly mirrors: Mirrors
}

async function withShelf<T>(
  { version, arch }: Wish,
  fetching: Fetching,
  images: readonly string[],
  work: (shelf: Shelf) => Promise<T>,
): Promise<T> {
  const { cacheDir, deadline, limits, offline = false, onProgress = () => {} } = fetching
  const mirrors = readMirrors(fetching.mirror)
  const [lock, registries] = await Promise.all([openLock(fetching.lock), openRegistries(images, mirrors, process.env)])
  const network = openNetwork({ deadline, offline, tls: registries.tls, ...(limits !== undefined && { limits }) })
  const queue = openQueue(network.limits.atOnce)
  try {
    return await work({ cacheDir, arch, version, mirrors, lock, registries, network, queue, onProgress })
  } finally {
    network.close()
  }
}

/** The path of a binary, or of the folder that an archive was unpacked to. */
async function provide(component: Component, shelf: Shelf): Promise<string> {
  const { cacheDir, arch, network, queue, lock, onProgress } = shelf
  const version = component.version(shelf)
  const folder = join(cacheDir, component.name, version, arch)
  const file = join(folder, component.kind === 'archive' ? `${component.name}.tgz` : component.name)
  const locked = lock.get(fileKey(component.name, version, arch))
  const signer = component.signer?.(shelf)
  const urls = sources(component, shelf, shelf.mirrors)
  const wanted = {
    name: `${component.name} ${version}`,
    urls,
    isMirrored: isMirrored(component, shelf, urls),
    file,
    mode: 0o755,
    ...(locked !== undefined && { checksum: locked }),
    ...(signer !== undefined && { signer }),
  }
  await queue(() => obtain(wanted, network, onProgress))
  if (component.kind === 'binary') return file
  // The archive is what can be vouched for, so it stays, and what was unpacked is compared with it.
  const unpacked = join(folder, 'bin')
  if (!(await isUnpacked(file, unpacked))) await unpack(file, unpacked)
  return unpacked
}

/** All values, or one error for all faults. */
function values<T>(outcomes: readonly PromiseSettledResult<T>[], cacheDir: string): T[] {
  const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  if (reasons.length === 0) return outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failures = reasons.filter(reason => reason instanceof FetchError).map(({ failure }) => failure)
  const others = reasons.filter(reason => !(reason instanceof FetchError))
  const fault = others.find(other => !(other instanceof KubestepError))
  if (fault !== undefined) throw fault
  // Images share layers, so the same fault may come several times; and a full disk is one fault, however many files.
  const messages = new Map(others.map(reasonOf).map(text => [/no space left/.test(text) ? 'full' : text, text]))
  const fetching = failures.length > 0 ? [failureError(failures).message] : []
  const hint = (text: string): string => (text.includes(cacheDir) ? `${text}; --cache-dir names another place` : text)
  throw new KubestepError([...fetching, ...[...messages.values()].map(hint)].join('\n'))
}
