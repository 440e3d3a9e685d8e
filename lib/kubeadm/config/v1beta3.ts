/** The fields of kubeadm.k8s.io/v1beta3 (kubeadm 1.22 to 1.36). Source: kubeadm apis/kubeadm/v1beta3/types.go (v1.36). */
import type { Struct } from '../../base/go/struct.ts'
import {
  API_ENDPOINT,
  BOOTSTRAP_TOKEN,
  DISCOVERY,
  HOST_PATH_MOUNT,
  IMAGE_META,
  JOIN_CONTROL_PLANE,
  NETWORKING,
  PATCHES,
  TAINT,
} from './core.ts'

const NODE_REGISTRATION: Struct = [
  ['name', 'string'],
  ['criSocket', 'string'],
  ['taints', { list: TAINT }],
  ['kubeletExtraArgs', '{}string'],
  ['ignorePreflightErrors', '[]string'],
  ['imagePullPolicy', 'string'],
]

export const COMPONENT: Struct = [
  ['extraArgs', '{}string'],
  ['extraVolumes', { list: HOST_PATH_MOUNT }],
]

export const API_SERVER: Struct = [...COMPONENT, ['certSANs', '[]string'], ['timeoutForControlPlane', '*duration']]

export const ETCD: Struct = [
  [
    'local',
    {
      pointer: [
        ...IMAGE_META,
        ['dataDir', 'string!'],
        ['extraArgs', '{}string'],
        ['serverCertSANs', '[]string'],
        ['peerCertSANs', '[]string'],
      ],
    },
  ],
  [
    'external',
    {
      pointer: [
        ['endpoints', '[]string!'],
        ['caFile', 'string!'],
        ['certFile', 'string!'],
        ['keyFile', 'string!'],
      ],
    },
  ],
]

export const INIT: Struct = [
  ['bootstrapTokens', { list: BOOTSTRAP_TOKEN }],
  ['nodeRegistration', NODE_REGISTRATION],
  ['localAPIEndpoint', API_ENDPOINT],
  ['certificateKey', 'string'],
  ['skipPhases', '[]string'],
  ['patches', { pointer: PATCHES }],
]

export const CLUSTER: Struct = [
  ['etcd', ETCD],
  ['networking', NETWORKING],
  ['kubernetesVersion', 'string'],
  ['controlPlaneEndpoint', 'string'],
  ['apiServer', API_SERVER],
  ['controllerManager', COMPONENT],
  ['scheduler', COMPONENT],
  ['dns', IMAGE_META],
  ['certificatesDir', 'string'],
  ['imageRepository', 'string'],
  ['featureGates', '{}bool'],
  ['clusterName', 'string'],
]

export const JOIN: Struct = [
  ['nodeRegistration', NODE_REGISTRATION],
  ['caCertPath', 'string'],
  ['discovery', [...DISCOVERY, ['timeout', '*duration']]],
  ['controlPlane', { pointer: JOIN_CONTROL_PLANE }],
  ['skipPhases', '[]string'],
  ['patches', { pointer: PATCHES }],
]
