/**
 * What this machine asks of the kubelet and kube-proxy, where the user has not said otherwise: no systemd means
 * another cgroup driver, cgroup v1 has to be allowed, and so on. On a machine as kubeadm wants it nothing changes.
 */

import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import type { MachineFacts } from '../../machine/host/machine.ts'
import type { NodeAddress } from './node-address.ts'

interface Adaptation {
  /** Field of KubeletConfiguration. */
  readonly field: string
  readonly value: string | boolean | number
  readonly why: string
  readonly since?: string
  /** The first release whose kubeadm sets it by itself. */
  readonly until?: string
  readonly applies: (machine: MachineFacts) => boolean
}

/** One row per field. */
export const KUBELET_ADAPTATIONS: readonly Adaptation[] = [
  {
    field: 'cgroupDriver',
    value: 'cgroupfs',
    why: 'systemd does not run here',
    applies: ({ systemd, cgroupDriver }) => cgroupDriver === undefined && !systemd,
  },
  {
    field: 'cgroupDriver',
    value: 'cgroupfs',
    why: 'the container runtime uses it',
    applies: ({ cgroupDriver }) => cgroupDriver === 'cgroupfs',
  },
  {
    field: 'cgroupDriver',
    value: 'systemd',
    why: 'the container runtime uses it, and this release of the kubelet would not by itself',
    // Source: kubeadm componentconfigs/kubelet.go (v1.22).
    until: '1.22',
    applies: ({ systemd, cgroupDriver }) => cgroupDriver === 'systemd' || (cgroupDriver === undefined && systemd),
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

/** A flag of the kubelet, for what is this machine's own and has no place in the configuration that all nodes share. */
interface FlagAdaptation {
  readonly flag: string
  /** The field of KubeletConfiguration that says the same. */
  readonly field: string
  readonly value: string
  readonly why: string
  readonly applies: (machine: MachineFacts) => boolean
}

export const KUBELET_FLAG_ADAPTATIONS: readonly FlagAdaptation[] = [
  {
    flag: 'oom-score-adj',
    field: 'oomScoreAdj',
    value: '0',
    why: 'without CAP_SYS_RESOURCE no process gets a lower one, and the kubelet tries three times before it starts Pods',
    // Source: kubelet util/oom/oom_linux.go applyOOMScoreAdj (v1.36): 0.2 s.
    applies: ({ mayLowerOomScore }) => !mayLowerOomScore,
  },
]

/** A field of KubeProxyConfiguration. */
export const KUBE_PROXY_ADAPTATIONS: readonly Pick<Adaptation, 'field' | 'value' | 'why' | 'applies'>[] = [
  {
    field: 'oomScoreAdj',
    value: 0,
    why: 'without CAP_SYS_RESOURCE no process gets a lower one, and kube-proxy tries three times before it makes rules',
    // Source: cmd/kube-proxy/app/server.go Run() (v1.36): 0.2 s.
    applies: ({ mayLowerOomScore }) => !mayLowerOomScore,
  },
]

/** The configuration with the adaptations filled in, and a line for each; `address` is what the kubelet has to be told. */
export function adaptToMachine(
  config: InitConfig,
  machine: MachineFacts,
  address?: NodeAddress,
): { config: InitConfig; notices: string[] } {
  const rows = KUBELET_ADAPTATIONS.filter(
    row => (config.joins === undefined ? isWanted(row, config) : differs(row, config)) && row.applies(machine),
  )
  const fields = Object.fromEntries(rows.map(({ field, value }) => [field, value]))
  const document = { ...config.kubelet.document, ...fields }
  const { nodeRegistration } = config.init
  const given = nodeRegistration.kubeletExtraArgs ?? []
  const flags = [
    ...KUBELET_FLAG_ADAPTATIONS.filter(
      ({ flag, field, applies }) =>
        document[field] === undefined && argumentValue(given, flag) === undefined && applies(machine),
    ),
    ...(address === undefined ? [] : [{ flag: 'node-ip', ...address }]),
  ]
  const changes = [...rows, ...flags.map(({ flag, value, why }) => ({ field: flag, value, why }))]
  // Who joins takes what is there.
  const hasProxy = config.joins === undefined && !config.cluster.proxy.disabled
  const proxied = KUBE_PROXY_ADAPTATIONS.filter(
    ({ field, applies }) => hasProxy && config.kubeProxy.document[field] === undefined && applies(machine),
  )
  const proxyFields = Object.fromEntries(proxied.map(({ field, value }) => [field, value]))
  const kubeletExtraArgs = [...given, ...flags.map(({ flag, value }) => ({ name: flag, value }))]
  return {
    config: {
      ...config,
      kubelet: { ...config.kubelet, document },
      ...(proxied.length > 0 && {
        kubeProxy: { ...config.kubeProxy, document: { ...config.kubeProxy.document, ...proxyFields } },
      }),
      ...(flags.length > 0 && {
        init: { ...config.init, nodeRegistration: { ...nodeRegistration, kubeletExtraArgs } },
      }),
    },
    notices: [
      ...changes.map(({ field, value, why }) => `[kubelet-start] Setting ${field} to ${value}: ${why}`),
      ...proxied.map(({ field, value, why }) => `[addon] Setting ${field} of kube-proxy to ${value}: ${why}`),
    ],
  }
}

/** What is stored in a cluster fits the machines that were there first. */
function differs({ field, value, since }: Adaptation, { kubelet, version }: InitConfig): boolean {
  return (since === undefined || isSince(version, since)) && kubelet.document[field] !== value
}

function isWanted({ field, since, until }: Adaptation, { kubelet: { document }, version }: InitConfig): boolean {
  const isIts = (since === undefined || isSince(version, since)) && (until === undefined || !isSince(version, until))
  return document[field] === undefined && isIts
}
