/** The files that the kubelet is started with. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { isSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { completeKubelet } from '../component-configs/kubelet-config.ts'
import { instanceConfig, isSocketNodeLocal } from './instance-config.ts'
import { kubeletFlagsFile } from './kubelet-flags.ts'

/** Applies the user's patches for a target to an object. */
export type ApplyPatches = (target: string, object: JsonObject) => JsonObject

export interface KubeletFiles {
  readonly files: readonly FileEntry[]
  /** What kubeadm warns of. */
  readonly notices: readonly string[]
}

/** The first release with the patch target kubeletconfiguration. Source: phases/kubelet/config.go (v1.25). */
const PATCHES_SINCE = '1.25'

/**
 * kubeadm-flags.env, instance-config.yaml where the release has it, and config.yaml, in the order they are written.
 * The user's patches come before the instance configuration, which therefore wins. Throws like completeKubelet.
 * Source: kubeadm cmd/phases/init/kubelet.go, phases/kubelet/config.go (v1.36).
 */
export function kubeletFiles(
  config: InitConfig,
  facts: Pick<HostFacts, 'hostname' | 'systemdResolved'>,
  apply?: ApplyPatches,
): KubeletFiles {
  const { configuration, notices } = completeKubelet(config, facts)
  const patched =
    apply === undefined || !isSince(config.kubeadm, PATCHES_SINCE)
      ? configuration
      : apply('kubeletconfiguration', configuration)
  const isLocal = isSocketNodeLocal(config)
  const final = isLocal ? { ...patched, containerRuntimeEndpoint: config.init.nodeRegistration.criSocket } : patched
  return {
    files: [
      file('kubeadm-flags.env', kubeletFlagsFile(config, facts)),
      ...(isLocal ? [file('instance-config.yaml', instanceConfig(config))] : []),
      file('config.yaml', stringify(final)),
    ],
    notices,
  }
}

function file(name: string, content: string): FileEntry {
  return { path: `${KUBERNETES.kubelet}/${name}`, mode: 0o644, content }
}
