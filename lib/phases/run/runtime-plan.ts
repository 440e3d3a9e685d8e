/** What an init is going to change in a runtime: its Pod network; in somebody else's also a name for its sandbox image. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { Change } from '../../machine/journal.ts'
import { cniFolders, wantsNetwork } from '../../machine/network/pod-network.ts'
import { sandboxImage } from '../../supply/images/sandbox-image.ts'
import { hasImage, type ImageNaming } from '../../supply/runtime/image-names.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { networkChanges } from './planned-changes.ts'
import { podNetworkFile } from './pod-network-file.ts'
import { gapChanges, type PluginGap, pluginGap } from './runtime-plugins.ts'

export interface RuntimeChanges {
  readonly changes: readonly Change[]
  /** The file of the Pod network; undefined when that is somebody else's. */
  readonly network?: FileEntry
  readonly naming?: ImageNaming
  /** Plugins that the network needs and the runtime does not find. */
  readonly gap?: PluginGap
}

/** `runtime` is absent when it will be a private one. Throws a KubestepError where no Pod network can be set up. */
export async function planRuntime(
  config: InitConfig,
  flags: Pick<Flags, 'cni' | 'artifacts' | 'offline'>,
  runtime?: Runtime,
): Promise<RuntimeChanges> {
  const confDir = runtime?.cni.confDir ?? cniFolders(flags.cni, '').confDir
  const network = wantsNetwork(flags.cni) ? podNetworkFile(config, confDir) : undefined
  const naming = runtime === undefined ? undefined : await sandboxNaming(config, flags, runtime)
  const gap = network === undefined || runtime === undefined ? undefined : pluginGap(runtime)
  return {
    changes: [
      // A private runtime's own folder goes as a whole.
      ...(network !== undefined && runtime === undefined ? [] : networkChanges(confDir, network?.path)),
      ...(naming === undefined ? [] : [{ kind: 'image', ...naming } as const]),
      ...(gap === undefined ? [] : gapChanges(gap)),
    ],
    ...(network !== undefined && { network }),
    ...(naming !== undefined && { naming }),
    ...(gap !== undefined && { gap }),
  }
}

/** A runtime pulls the image of its sandboxes by itself; where it cannot, it gets ours under the name that it asks for. */
export async function sandboxNaming(
  config: InitConfig,
  { artifacts, offline }: Pick<Flags, 'artifacts' | 'offline'>,
  runtime: Runtime,
): Promise<ImageNaming | undefined> {
  if (artifacts === undefined && !offline) return undefined
  const name = await sandboxImage(runtime)
  const of = imageOf('pause', config)
  if (name === undefined || name === of || (await hasImage(runtime.cri, name))) return undefined
  return { socket: runtime.cri.socket, name, of }
}
