/** The binaries of a live node: had from somewhere, then copied to where they stay as long as the cluster does. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Reason } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { architecture } from '../../base/platform.ts'
import type { Call } from '../../cli/script.ts'
import { CNI_PROGRAMS, pluginFolder } from '../../machine/host/cni-plugins.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { givenProgram } from '../../machine/local-node/local-node.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { type Artifacts, type Programs, readArtifacts } from '../../supply/components/artifacts.ts'
import { bringComponents, type Preparation } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetch-options.ts'
import { reporterOf } from '../../supply/components/reporter.ts'
import { isHeld } from '../../supply/registry/fetch-images.ts'
import { keepFile } from './kept-program.ts'

export interface Binaries {
  readonly kubelet: string
  readonly kubectl?: string
  /** Folder of the CNI plugins. */
  readonly cniBinDir: string
  readonly images: ImageArchives
}

/** Archives of images: there, or still on their way. */
export interface ImageArchives {
  readonly there: readonly string[]
  /** That of an image, as soon as it is whole. */
  readonly coming?: (image: string) => Promise<string>
  /** Ids of images, by the archives that were shown to hold them; of those that somebody brought nothing is known. */
  readonly ids?: ReadonlyMap<string, string>
  /** When nothing is on its way any more. */
  readonly all: Promise<readonly string[]>
}

/**
 * Gives kubelet, kubectl and CNI plugins from --artifacts (`artifacts`, where they have been looked at), the cache, or the
 * network; and archives of `images`. What of those the cache lacks comes while the programs are used already. The
 * version has its `ci/` where it is a build of Kubernetes' CI.
 * Throws a KubestepError that names everything that is missing and the ways out.
 */
export async function provideBinaries(
  version: string,
  call: Pick<Call, 'flags' | 'output'>,
  deadline: AbortSignal,
  { images = [], artifacts }: { readonly images?: readonly string[]; readonly artifacts?: Artifacts } = {},
): Promise<Binaries> {
  const { flags } = call
  const installed = installedPlugins()
  const { found, archives } = await findParts(call, artifacts, images, {
    version,
    arch: architecture(),
    besides: installed === undefined && wantsNetwork(flags.cni) ? ['kubectl', 'cni-plugins'] : ['kubectl'],
    deadline,
  })
  const brought = found.cniBinDir === undefined ? undefined : keepPlugins(found.cniBinDir)
  const cniBinDir = brought ?? installed ?? (wantsNetwork(flags.cni) ? undefined : LAYOUT.cni.bin)
  if (cniBinDir === undefined) {
    throw new Reason(
      `cannot set up the Pod network: the CNI plugins ${CNI_PROGRAMS.join(', ')} are not on this machine; add --install, put them into cni/bin of the --artifacts folder, or use --cni none`,
    )
  }
  return {
    kubelet: kept(join(LAYOUT.binaries, 'kubelet'), found.kubelet),
    ...(found.kubectl !== undefined && { kubectl: kept(join(LAYOUT.binaries, 'kubectl'), found.kubectl) }),
    cniBinDir,
    images: archives,
  }
}

/** All there is of a folder; of the rest the programs, and images unless they are yet to be fetched. */
async function findParts(
  call: Pick<Call, 'flags' | 'output'>,
  artifacts: Artifacts | undefined,
  images: readonly string[],
  wish: Pick<Preparation, 'version' | 'arch' | 'besides' | 'deadline'>,
): Promise<{ readonly found: Programs; readonly archives: ImageArchives }> {
  const { flags } = call
  const whole = (all: Artifacts): { readonly found: Programs; readonly archives: ImageArchives } => ({
    found: all,
    archives: archivesThere(all.imageArchives),
  })
  if (artifacts !== undefined) return whole(artifacts)
  if (flags.artifacts !== undefined) return whole(await readArtifacts(flags.artifacts, { ...wish, images }))
  const reporter = reporterOf(call)
  const fetching = fetchingOf(flags, wish.deadline, reporter.onProgress)
  const { programs, archive, all, imageIds: ids } = bringComponents({ ...fetching, ...wish, images })
  const ending = all.finally(reporter.end)
  ending.catch(() => {})
  if (flags.offline === true || isHeld(images, fetching.cacheDir, wish.arch)) {
    const { found, archives } = whole(await ending)
    return { found, archives: { ...archives, ids } }
  }
  const archives = ending.then(({ imageArchives }) => imageArchives)
  archives.catch(() => {})
  return { found: await programs, archives: { there: [], coming: archive, ids, all: archives } }
}

/** Archives that need no fetching. */
export function archivesThere(there: readonly string[]): ImageArchives {
  return { there, all: Promise.resolve(there) }
}

/** What the machine of a node has given to it is not copied into its world. */
function kept(path: string, source: string): string {
  return givenProgram(path) ?? keepFile(path, source)
}

/** Where this machine has the CNI plugins; undefined when some are missing. */
export function installedPlugins(): string | undefined {
  return pluginFolder(liveHost())
}

/** Pods that end need them as well as Pods that begin. */
function keepPlugins(folder: string): string {
  const plugins = readdirSync(folder).filter(name => statSync(join(folder, name)).isFile())
  for (const name of plugins) kept(join(LAYOUT.cni.bin, name), join(folder, name))
  return LAYOUT.cni.bin
}
