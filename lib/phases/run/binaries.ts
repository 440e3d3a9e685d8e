/** The binaries of a live node: had from somewhere, then copied to where they stay as long as the cluster does. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Reason } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { architecture } from '../../base/platform.ts'
import type { Call } from '../../cli/script.ts'
import { CNI_PROGRAMS, pluginFolder } from '../../machine/host/cni-plugins.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import type { Artifacts } from '../../supply/components/artifacts.ts'
import { prepareComponents } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetch-options.ts'
import { reporterOf } from '../../supply/components/reporter.ts'
import { keepFile } from './kept-program.ts'

export interface Binaries {
  readonly kubelet: string
  readonly kubectl?: string
  /** Folder of the CNI plugins. */
  readonly cniBinDir: string
  readonly imageArchives: readonly string[]
}

/**
 * Gets kubelet, kubectl and CNI plugins from --artifacts (`artifacts`, where they have been looked at), the cache, or the
 * network; and archives of `images`, all at once. The version has its `ci/` where it is a build of Kubernetes' CI.
 * Throws a KubestepError that names everything that is missing and the ways out.
 */
export async function provideBinaries(
  version: string,
  call: Pick<Call, 'flags' | 'output'>,
  deadline: AbortSignal,
  { images = [], artifacts }: { readonly images?: readonly string[]; readonly artifacts?: Artifacts } = {},
): Promise<Binaries> {
  const { flags } = call
  const reporter = reporterOf(call)
  const installed = installedPlugins()
  const preparing =
    artifacts !== undefined
      ? Promise.resolve(artifacts)
      : prepareComponents({
          version,
          arch: architecture(),
          ...fetchingOf(flags, deadline, reporter.onProgress),
          besides: installed === undefined && wantsNetwork(flags.cni) ? ['kubectl', 'cni-plugins'] : ['kubectl'],
          images,
          ...(flags.artifacts !== undefined && { artifacts: flags.artifacts }),
        })
  const found = await preparing.finally(reporter.end)
  const brought = found.cniBinDir === undefined ? undefined : keepPlugins(found.cniBinDir)
  const cniBinDir = brought ?? installed ?? (wantsNetwork(flags.cni) ? undefined : LAYOUT.cni.bin)
  if (cniBinDir === undefined) {
    throw new Reason(
      `cannot set up the Pod network: the CNI plugins ${CNI_PROGRAMS.join(', ')} are not on this machine; add --install, put them into cni/bin of the --artifacts folder, or use --cni none`,
    )
  }
  return {
    kubelet: keepFile(join(LAYOUT.binaries, 'kubelet'), found.kubelet),
    ...(found.kubectl !== undefined && { kubectl: keepFile(join(LAYOUT.binaries, 'kubectl'), found.kubectl) }),
    cniBinDir,
    imageArchives: found.imageArchives,
  }
}

/** Where this machine has the CNI plugins; undefined when some are missing. */
export function installedPlugins(): string | undefined {
  return pluginFolder(liveHost())
}

/** Pods that end need them as well as Pods that begin. */
function keepPlugins(folder: string): string {
  const plugins = readdirSync(folder).filter(name => statSync(join(folder, name)).isFile())
  for (const name of plugins) keepFile(join(LAYOUT.cni.bin, name), join(folder, name))
  return LAYOUT.cni.bin
}
