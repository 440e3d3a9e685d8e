/** The configuration of a node that joins: what the cluster has stored, and what this node is. */
import type { JsonObject } from '../../base/json.ts'
import { stringify } from '../../base/yaml.ts'
import type { StoredConfig } from '../../cluster/api/stored-config.ts'
import { CONTAINERD_SOCKET } from '../../kubeadm/config/node-registration.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import type { OpenedJoin } from './open-join.ts'

/** The cluster's documents, and this node's part as an InitConfiguration. */
export function joinedText(
  { config, role, facts }: Pick<OpenedJoin, 'config' | 'role' | 'facts'>,
  { cluster, kubelet, kubeProxy }: Pick<StoredConfig, 'cluster' | 'kubelet' | 'kubeProxy'>,
): string {
  const { nodeRegistration, controlPlane, patches, skipPhases, timeouts } = config
  const { criSocket, taints, kubeletExtraArgs = [], ...registration } = nodeRegistration
  const isFound =
    facts.criSockets[0] === criSocket || (facts.criSockets.length === 0 && criSocket === CONTAINERD_SOCKET)
  // A control plane node is tainted through the API. Source: kubeadm phases/kubelet/flags.go (v1.36).
  const isGiven = kubeletExtraArgs.some(({ name }) => name === 'register-with-taints')
  const registered = role === 'worker' && !isGiven ? (taints ?? []) : []
  const withTaints = registered
    .map(({ key, value = '', effect }) => `${value === '' ? key : `${key}=${value}`}:${effect}`)
    .join(',')
  const node: JsonObject = JSON.parse(
    JSON.stringify({
      ...registration,
      ...(!isFound && { criSocket }),
      taints: role === 'worker' ? [] : taints,
      kubeletExtraArgs:
        withTaints === ''
          ? kubeletExtraArgs
          : [{ name: 'register-with-taints', value: withTaints }, ...kubeletExtraArgs],
    }),
  )
  const init = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'InitConfiguration',
    nodeRegistration: node,
    ...(controlPlane !== undefined && { localAPIEndpoint: { ...controlPlane.localAPIEndpoint } }),
    ...(controlPlane?.certificateKey !== undefined && { certificateKey: controlPlane.certificateKey }),
    ...(patches !== undefined && { patches: { ...patches } }),
    // The machine is checked as that of an init.
    ...(isSkipped('preflight', skipPhases) && { skipPhases: ['preflight'] }),
    timeouts: { ...timeouts },
  } as JsonObject
  // First what messages name the lines of.
  return [cluster, stringify(init), kubelet, kubeProxy].filter(Boolean).join('\n---\n')
}
