/** The fields of kubeadm.k8s.io/v1beta2 (kubeadm 1.15 to 1.26). Source: kubeadm apis/kubeadm/v1beta2/types.go (v1.18, v1.26). */
import type { Struct } from '../../base/go/struct.ts'
import { API_ENDPOINT, BOOTSTRAP_TOKEN, DISCOVERY, IMAGE_META, JOIN_CONTROL_PLANE, NETWORKING, TAINT } from './core.ts'
import { API_SERVER, COMPONENT, ETCD } from './v1beta3.ts'

const NODE_REGISTRATION: Struct = [
  ['name', 'string'],
  ['criSocket', 'string'],
  ['taints', { list: TAINT }],
  ['kubeletExtraArgs', '{}string'],
  ['ignorePreflightErrors', '[]string'],
]

export const INIT: Struct = [
  ['bootstrapTokens', { list: BOOTSTRAP_TOKEN }],
  ['nodeRegistration', NODE_REGISTRATION],
  ['localAPIEndpoint', API_ENDPOINT],
  ['certificateKey', 'string'],
]

export const CLUSTER: Struct = [
  ['etcd', ETCD],
  ['networking', NETWORKING],
  ['kubernetesVersion', 'string'],
  ['controlPlaneEndpoint', 'string'],
  ['apiServer', API_SERVER],
  ['controllerManager', COMPONENT],
  ['scheduler', COMPONENT],
  ['dns', [['type', 'string!'], ...IMAGE_META]],
  ['certificatesDir', 'string'],
  ['imageRepository', 'string'],
  ['useHyperKubeImage', 'bool'],
  ['featureGates', '{}bool'],
  ['clusterName', 'string'],
]

export const JOIN: Struct = [
  ['nodeRegistration', NODE_REGISTRATION],
  ['caCertPath', 'string'],
  ['discovery', [...DISCOVERY, ['timeout', '*duration']]],
  ['controlPlane', { pointer: JOIN_CONTROL_PLANE }],
]
