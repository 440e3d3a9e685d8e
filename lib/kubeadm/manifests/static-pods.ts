/** The four static Pods of a control plane, and what of them hangs on the kubeadm release alone. */

import type { JsonObject } from '../../base/json.ts'
import type { Since } from '../../base/version.ts'
import type { ImageName } from '../images/image-list.ts'

export type ComponentName = ImageName & ('etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler')

/** In the order in which init's phases write them. */
export const COMPONENT_NAMES: readonly ComponentName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
]

/** Where the component listens for its probes unless the configuration says otherwise. Source: kubeadm constants.go. */
export const HEALTH_PORTS: Readonly<Record<Exclude<ComponentName, 'kube-apiserver'>, number>> = {
  etcd: 2381,
  'kube-controller-manager': 10257,
  'kube-scheduler': 10259,
}

const cpu = (request: string): JsonObject => ({ requests: { cpu: request } })
const etcdRequests = { cpu: '100m', memory: '100Mi' }
const etcdRequestsWithDisk = { ...etcdRequests, 'ephemeral-storage': '100Mi' }

/**
 * Source: kubeadm phases/controlplane/manifests.go, phases/etcd/local.go (all releases); etcd's requests came with
 * 1.20.0 (k/k PR 94479), ephemeral-storage went again with 1.20.8, 1.21.2 and 1.22.0 (CHANGELOG).
 */
export const RESOURCES: Readonly<Record<ComponentName, Since<JsonObject>>> = {
  etcd: {
    '1.18': {},
    '1.20': { requests: etcdRequestsWithDisk },
    '1.20.8': { requests: etcdRequests },
    '1.21': { requests: etcdRequestsWithDisk },
    '1.21.2': { requests: etcdRequests },
  },
  'kube-apiserver': { '1.18': cpu('250m') },
  'kube-controller-manager': { '1.18': cpu('200m') },
  'kube-scheduler': { '1.18': cpu('100m') },
}

const SYSTEM_NODE_CRITICAL = 2_000_001_000

/** Fields of the Pod's spec that every component has. */
export const COMMON_SPEC: Readonly<Record<string, Since<JsonObject[string]>>> = {
  hostNetwork: { '1.18': true },
  // CHANGELOG 1.19.0 (k/k PR 90063).
  priorityClassName: { '1.18': 'system-cluster-critical', '1.19': 'system-node-critical' },
  // CHANGELOG 1.25.12 (k/k PR 119118), 1.26.7 (119117), 1.27.0 (114338).
  priority: { '1.25.12': SYSTEM_NODE_CRITICAL, '1.26': undefined, '1.26.7': SYSTEM_NODE_CRITICAL },
  // CHANGELOG 1.22.0 (k/k PR 100234).
  securityContext: { '1.22': { seccompProfile: { type: 'RuntimeDefault' } } },
}

/** What `metadata.creationTimestamp` is written as. Source: golden 1.33.13 and 1.34.9 (apimachinery's omitzero). */
export const CREATION_TIMESTAMP: Since<null | undefined> = { '1.18': null, '1.34': undefined }

/** Name of the probed port among the container's ports. Source: kubeadm constants.go, ProbePort (1.34.1). */
export const PORT_NAME: Since<string> = { '1.34': 'probe-port' }
