/**
 * What this machine asks of the kubelet and kube-proxy, where the user has not said otherwise: no systemd means
 * another cgroup driver, cgroup v1 has to be allowed, and so on. On a machine as kubeadm wants it nothing changes.
 */
import type { InitConfig } from '../config/types.ts'
import type { MachineFacts } from '../host/machine.ts'
import type { JsonObject } from '../json.ts'
import { isSince, type Version } from '../version.ts'

interface Adaptation {
  /** Field of KubeletConfiguration. */
  readonly field: string
  readonly value: string | boolean
  readonly why: string
  readonly since?: string
  readonly applies: (machine: MachineFacts) => boolean
}

/** One row per field. */
export const KUBELET_ADAPTATIONS: readonly Adaptation[] = [
  {
    field: 'cgroupDriver',
    value: 'cgroupfs',
    why: 'systemd does not run here',
    applies: ({ systemd, cgroupDriver }) => cgroupDriver === 'cgroupfs' || (cgroupDriver === undefined && !systemd),
  },
  {
    field: 'failCgroupV1',
    value: false,
    why: 'this machine has cgroup v1, which the kubelet refuses by default since 1.35',
    // Source: kubelet apis/config/types.go, k/k PR 126031 (v1.31).
    since: '1.31',
    applies: ({ cgroupVersion }) => cgroupVersion === 1,
  },
  { field: 'failSwapOn', value: false, why: 'swap is on', applies: ({ swap }) => swap },
]

/** The configuration with the adaptations filled in, and a line for each. */
export function adaptToMachine(config: InitConfig, machine: MachineFacts): { config: InitConfig; notices: string[] } {
  const rows = KUBELET_ADAPTATIONS.filter(
    row => isWanted(row, config.kubelet.document, config.version) && row.applies(machine),
  )
  const fields = Object.fromEntries(rows.map(({ field, value }) => [field, value]))
  const document = { ...config.kubelet.document, ...fields }
  return {
    config: { ...config, kubelet: { ...config.kubelet, document } },
    notices: rows.map(({ field, value, why }) => `[kubelet-start] Setting ${field} to ${value}: ${why}`),
  }
}

function isWanted({ field, since }: Adaptation, document: JsonObject, version: Version): boolean {
  return document[field] === undefined && (since === undefined || isSince(version, since))
}
