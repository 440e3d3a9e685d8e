/** The runtime of a live cluster: the one that was chosen, started where it is ours. */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import type { Flags } from '../../cli/options.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import { writeFiles } from '../../machine/files.ts'
import type { MachineFacts } from '../../machine/host/machine.ts'
import type { CniFolders } from '../../machine/network/pod-network.ts'
import type { ServiceManager } from '../../machine/service/service.ts'
import { readMirrors } from '../../supply/fetch/mirrors.ts'
import { preparePrivateRuntime } from '../../supply/runtime/private-runtime.ts'
import { placesOf, registryFiles, registryPath } from '../../supply/runtime/registry-folder.ts'
import type { Runtime, RuntimeChoice } from '../../supply/runtime/runtime.ts'
import { CRI_ADVICE, criFault } from '../../supply/runtime/runtime-choice.ts'

/** The socket that a choice will serve, before it is started. */
export function socketOf(choice: RuntimeChoice): string {
  return choice.kind === 'socket' ? choice.socket : LAYOUT.containerd.url
}

/**
 * What to say of `--registry` where the runtime, and so its configuration, is somebody else's. containerd asks a registry
 * on localhost without TLS by itself. Source: containerd remotes/docker/resolver.go, MatchLocalhost (1.6 to 2.1).
 */
export function registryNotice(registry?: string, runtime?: Pick<Runtime, 'name' | 'cri'>): string | undefined {
  if (registry === undefined || runtime === undefined) return undefined
  if (runtime.name === 'containerd' && registry.startsWith('localhost:')) return undefined
  return `[runtime] ${runtime.name} at ${runtime.cri.socket} is somebody else's: that "${registry}" has no TLS has to stand in its own configuration`
}

/**
 * Gets a private runtime ready, which knows the mirrors of `--mirror` and the `--registry`; gives what starts it, or opens
 * the chosen one. That throws a KubestepError when it cannot carry the version.
 */
export async function prepareChosenRuntime(
  choice: RuntimeChoice,
  config: InitConfig,
  machine: MachineFacts,
  services: ServiceManager,
  cni: CniFolders,
  { mirror = '', registry }: Pick<Flags, 'mirror' | 'registry'>,
): Promise<() => Promise<Runtime>> {
  const { hosts } = LAYOUT.containerd
  const { advertiseAddress } = config.init.localAPIEndpoint
  const places = registry === undefined ? mirror : `${mirror},${placesOf(registry, advertiseAddress)}`
  const registries = choice.kind === 'socket' ? [] : registryFiles(readMirrors(places), hosts)
  writeFiles('/', registries)
  const open =
    choice.kind === 'socket'
      ? async () => choice.runtime
      : await preparePrivateRuntime(services, {
          registryConfig: registryPath(registries, hosts),
          pauseImage: imageOf('pause', config),
          cgroupDriver: machine.systemd ? 'systemd' : 'cgroupfs',
          restrictOomScore: !machine.mayLowerOomScore,
          cniBinDir: cni.binDir,
          cniConfDir: cni.confDir,
        })
  return async () => {
    const runtime = await open()
    const fault = criFault({ ...runtime, cri: runtime.cri.version }, config.version.minor)
    if (fault !== undefined)
      throw new KubestepError(`runtime: cannot use "${runtime.cri.socket}": ${fault}; ${CRI_ADVICE}`)
    return runtime
  }
}
