/** The binaries of a live node: had from somewhere, then copied to where they stay as long as the cluster does. */
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fetchingOf } from '../components/fetching.ts'
import { architecture } from '../components/platform.ts'
import { prepareComponents } from '../components/prepare.ts'
import { reporterOf } from '../components/reporter.ts'
import { KubestepError } from '../errors.ts'
import { explain } from '../files.ts'
import { CNI_PROGRAMS, pluginFolder } from '../host/cni-plugins.ts'
import { liveHost } from '../host/source.ts'
import { LAYOUT } from '../layout.ts'
import type { Call } from '../script.ts'
import { wantsNetwork } from './pod-network.ts'

export interface Binaries {
  readonly kubelet: string
  readonly kubectl?: string
  /** Folder of the CNI plugins. */
  readonly cniBinDir: string
  readonly imageArchives: readonly string[]
}

/**
 * Gets kubelet, kubectl and CNI plugins from --artifacts, the cache, or the network; and archives of `images`, all at
 * once. The version has its `ci/` where it is a build of Kubernetes' CI.
 * Throws a KubestepError that names everything that is missing and the ways out.
 */
export async function provideBinaries(
  version: string,
  call: Pick<Call, 'flags' | 'output'>,
  deadline: AbortSignal,
  images: readonly string[] = [],
): Promise<Binaries> {
  const { flags } = call
  const reporter = reporterOf(call)
  const installed = installedPlugins()
  const found = await prepareComponents({
    version,
    arch: architecture(),
    ...fetchingOf(flags, deadline, reporter.onProgress),
    besides: installed === undefined && wantsNetwork(flags.cni) ? ['kubectl', 'cni-plugins'] : ['kubectl'],
    images,
    ...(flags.artifacts !== undefined && { artifacts: flags.artifacts }),
  }).finally(reporter.end)
  const brought = found.cniBinDir === undefined ? undefined : keepPlugins(found.cniBinDir)
  const cniBinDir = brought ?? installed ?? (wantsNetwork(flags.cni) ? undefined : LAYOUT.cni.bin)
  if (cniBinDir === undefined) {
    throw new KubestepError(
      `init: cannot set up the Pod network: the CNI plugins ${CNI_PROGRAMS.join(', ')} are not on this machine; add --install, put them into cni/bin of the --artifacts folder, or use --cni none`,
    )
  }
  return {
    kubelet: keep(join(LAYOUT.binaries, 'kubelet'), found.kubelet),
    ...(found.kubectl !== undefined && { kubectl: keep(join(LAYOUT.binaries, 'kubectl'), found.kubectl) }),
    cniBinDir,
    imageArchives: found.imageArchives,
  }
}

/** Where this machine has the CNI plugins; undefined when some are missing. */
export function installedPlugins(): string | undefined {
  return pluginFolder(liveHost())
}

// The user's folder or the cache may go; the service has to be able to start again.
function keep(path: string, source: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true })
    rmSync(`${path}.tmp`, { force: true })
    linkOrCopy(source, `${path}.tmp`)
    renameSync(`${path}.tmp`, path)
    // Renaming one link of a file to another of the same file does nothing, and leaves both.
    rmSync(`${path}.tmp`, { force: true })
  } catch (error) {
    throw new KubestepError(`init: cannot copy "${source}" to "${path}": ${explain(error)}`, { cause: error })
  }
  return path
}

/** Pods that end need them as well as Pods that begin. */
function keepPlugins(folder: string): string {
  const plugins = readdirSync(folder).filter(name => statSync(join(folder, name)).isFile())
  for (const name of plugins) keep(join(LAYOUT.cni.bin, name), join(folder, name))
  return LAYOUT.cni.bin
}

// A link costs nothing where a copy moves a hundred megabytes; it lives on when the first name goes.
function linkOrCopy(source: string, path: string): void {
  if ((statSync(source).mode & 0o111) === 0o111 && linked(source, path)) return
  copyFileSync(source, path, constants.COPYFILE_FICLONE)
  chmodSync(path, 0o755)
}

// Not from one file system to another.
function linked(source: string, path: string): boolean {
  try {
    linkSync(source, path)
    return true
  } catch {
    return false
  }
}
