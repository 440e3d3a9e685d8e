/** The components of a node at their place: from a folder, from the cache, or from the network. */
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../errors.ts'
import { isUnpacked, unpack } from './archive.ts'
import { type Artifacts, readArtifacts } from './artifacts.ts'
import { download } from './download.ts'
import { FetchError, failureError } from './failure.ts'
import { fetchImages } from './images.ts'
import type { Limits } from './limits.ts'
import { type Network, openNetwork } from './network.ts'
import type { OnProgress } from './progress.ts'
import { openQueue, type Queue } from './queue.ts'
import { isIntact, removeFile, sumFile } from './store.ts'
import { COMPONENTS, type Component, type ComponentName, readMirrors, sources, type Wish } from './table.ts'

export interface Preparation extends Wish {
  /** Replaces the hosts; several addresses are separated by commas. */
  readonly mirror?: string
  /** A folder that has everything; then nothing is fetched. */
  readonly artifacts?: string
  readonly cacheDir: string
  readonly deadline: AbortSignal
  readonly onProgress?: OnProgress
  /** What is needed besides the kubelet; kubectl and the CNI plugins when left out. */
  readonly besides?: readonly Exclude<ComponentName, 'kubelet'>[]
  /** Images to have as archives; none when left out, since a runtime can pull them itself. */
  readonly images?: readonly string[]
  readonly limits?: Partial<Limits>
}

/**
 * Makes sure of everything that was asked for; what the cache has, undamaged, is not fetched again. Gives paths on
 * this machine; they may lie in the cache or the user's folder, so what has to stay is to be copied.
 * Throws a KubestepError that tells of all faults at once, with the ways out when no host can be reached.
 */
export async function prepareComponents(preparation: Preparation): Promise<Artifacts> {
  const { version, arch, artifacts, cacheDir, deadline, limits, onProgress = () => {} } = preparation
  const { images = [], besides = ['kubectl', 'cni-plugins'] } = preparation
  if (artifacts !== undefined) return readArtifacts(artifacts, arch, version, images)
  const mirrors = readMirrors(preparation.mirror)
  const network = openNetwork({ deadline, ...(limits !== undefined && { limits }) })
  const queue = openQueue(network.limits.atOnce)
  try {
    const shelf = { cacheDir, arch, version, mirrors, network, queue, onProgress }
    const wanted = COMPONENTS.filter(({ name }) => name === 'kubelet' || besides.includes(name))
    const [files, archives] = await Promise.all([
      Promise.allSettled(wanted.map(component => provide(component, shelf))),
      fetchImages(images, shelf),
    ])
    const paths = values([...files, ...archives], cacheDir)
    const pathOf = (name: ComponentName): string | undefined => paths[wanted.findIndex(row => row.name === name)]
    const [kubelet = '', kubectl, cniBinDir] = [pathOf('kubelet'), pathOf('kubectl'), pathOf('cni-plugins')]
    return {
      kubelet,
      ...(kubectl !== undefined && { kubectl }),
      ...(cniBinDir !== undefined && { cniBinDir }),
      imageArchives: paths.slice(wanted.length),
      missingImages: [],
    }
  } finally {
    network.close()
  }
}

interface Shelf extends Wish {
  readonly cacheDir: string
  readonly mirrors: readonly string[]
  readonly network: Network
  readonly queue: Queue
  readonly onProgress: OnProgress
}

/** The path of a binary, or of the folder that an archive was unpacked to. */
async function provide(component: Component, shelf: Shelf): Promise<string> {
  const { cacheDir, arch, network, queue, onProgress } = shelf
  const version = component.version(shelf)
  const folder = join(cacheDir, component.name, version, arch)
  const path = join(folder, component.kind === 'archive' ? 'bin' : component.name)
  const shown = `${component.name} ${version}`
  if (await (component.kind === 'archive' ? isUnpacked(path) : isIntact(path))) {
    onProgress({ kind: 'cached', name: shown })
    return path
  }
  const file = component.kind === 'archive' ? join(folder, `${component.name}.tgz`) : path
  const wanted = { name: shown, urls: sources(component, shelf, shelf.mirrors), file, mode: 0o755 }
  // An archive that is there was not unpacked to its end.
  const fetched = component.kind === 'archive' && (await isIntact(file))
  if (!fetched) await queue(() => download(wanted, network, onProgress))
  if (component.kind === 'archive') {
    await unpack(file, path)
    for (const used of [file, sumFile(file)]) removeFile(used)
  }
  return path
}

/** All values, or one error for all faults. */
function values(outcomes: readonly PromiseSettledResult<string>[], cacheDir: string): string[] {
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
