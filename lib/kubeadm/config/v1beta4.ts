/** The fields of kubeadm.k8s.io/v1beta4. Source: kubeadm apis/kubeadm/v1beta4/types.go (v1.36). */
import type { Struct } from '../../base/go/struct.ts'
import {
  API_ENDPOINT,
  BOOTSTRAP_TOKEN,
  DISCOVERY,
  ENV_VAR,
  HOST_PATH_MOUNT,
  IMAGE_META,
  JOIN_CONTROL_PLANE,
  NETWORKING,
  PATCHES,
  TAINT,
} from './core.ts'

const ARG: Struct = [
  ['name', 'string!'],
  ['value', 'string!'],
]

const TIMEOUTS: Struct = [
  ['controlPlaneComponentHealthCheck', '*duration'],
  ['kubeletHealthCheck', '*duration'],
  ['kubernetesAPICall', '*duration'],
  ['etcdAPICall', '*duration'],
  ['tlsBootstrap', '*duration'],
  ['discovery', '*duration'],
  ['upgradeManifests', '*duration'],
]

const NODE_REGISTRATION: Struct = [
  ['name', 'string'],
  ['criSocket', 'string'],
  ['taints', { list: TAINT }],
  ['kubeletExtraArgs', { list: ARG }],
  ['ignorePreflightErrors', '[]string'],
  ['imagePullPolicy', 'string'],
  ['imagePullSerial', '*bool'],
]

const COMPONENT: Struct = [
  ['extraArgs', { list: ARG }],
  ['extraVolumes', { list: HOST_PATH_MOUNT }],
  ['extraEnvs', { list: ENV_VAR }],
]

const ETCD: Struct = [
  [
    'local',
    {
      pointer: [
        ...IMAGE_META,
        ['dataDir', 'string!'],
        ['extraArgs', { list: ARG }],
        ['extraEnvs', { list: ENV_VAR }],
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
        ['httpEndpoints', '[]string', '1.35'], // k/k PR 134890
        ['caFile', 'string!'],
        ['certFile', 'string!'],
        ['keyFile', 'string!'],
      ],
    },
  ],
]

export const INIT: Struct = [
  ['bootstrapTokens', { list: BOOTSTRAP_TOKEN }],
  ['dryRun', 'bool'],
  ['nodeRegistration', NODE_REGISTRATION],
  ['localAPIEndpoint', API_ENDPOINT],
  ['certificateKey', 'string'],
  ['skipPhases', '[]string'],
  ['patches', { pointer: PATCHES }],
  ['timeouts', { pointer: TIMEOUTS }],
]

export const CLUSTER: Struct = [
  ['etcd', ETCD],
  ['networking', NETWORKING],
  ['kubernetesVersion', 'string'],
  ['controlPlaneEndpoint', 'string'],
  ['apiServer', [...COMPONENT, ['certSANs', '[]string']]],
  ['controllerManager', COMPONENT],
  ['scheduler', COMPONENT],
  ['dns', [...IMAGE_META, ['disabled', 'bool']]],
  ['proxy', [['disabled', 'bool']]],
  ['certificatesDir', 'string'],
  ['imageRepository', 'string'],
  ['featureGates', '{}bool'],
  ['clusterName', 'string'],
  ['encryptionAlgorithm', 'string'],
  ['certificateValidityPeriod', '*duration'],
  ['caCertificateValidityPeriod', '*duration'],
]

export const JOIN: Struct = [
  ['dryRun', 'bool'],
  ['nodeRegistration', NODE_REGISTRATION],
  ['caCertPath', 'string'],
  ['discovery', DISCOVERY],
  ['controlPlane', { pointer: JOIN_CONTROL_PLANE }],
  ['skipPhases', '[]string'],
  ['patches', { pointer: PATCHES }],
  ['timeouts', { pointer: TIMEOUTS }],
]

export const RESET: Struct = [
  ['cleanupTmpDir', 'bool'],
  ['certificatesDir', 'string'],
  ['criSocket', 'string'],
  ['dryRun', 'bool'],
  ['force', 'bool'],
  ['ignorePreflightErrors', '[]string'],
  ['skipPhases', '[]string'],
  ['unmountFlags', '[]string'],
  ['timeouts', { pointer: TIMEOUTS }],
]

const PLAN: Struct = [
  ['kubernetesVersion', 'string'],
  ['allowExperimentalUpgrades', '*bool'],
  ['allowRCUpgrades', '*bool'],
  ['dryRun', '*bool'],
  ['etcdUpgrade', '*bool'],
  ['ignorePreflightErrors', '[]string'],
  ['printConfig', '*bool'],
]

const UPGRADE_NODE: Struct = [
  ['certificateRenewal', '*bool'],
  ['dryRun', '*bool'],
  ['etcdUpgrade', '*bool'],
  ['ignorePreflightErrors', '[]string'],
  ['skipPhases', '[]string'],
  ['patches', { pointer: PATCHES }],
  ['imagePullPolicy', 'string'],
  ['imagePullSerial', '*bool'],
]

export const UPGRADE: Struct = [
  [
    'apply',
    [
      ...UPGRADE_NODE,
      ['kubernetesVersion', 'string'],
      ['allowExperimentalUpgrades', '*bool'],
      ['allowRCUpgrades', '*bool'],
      ['forceUpgrade', '*bool'],
      ['printConfig', '*bool'],
    ],
  ],
  [
    'diff',
    [
      ['kubernetesVersion', 'string'],
      ['contextLines', 'int64'],
    ],
  ],
  ['node', UPGRADE_NODE],
  ['plan', PLAN],
  ['timeouts', { pointer: TIMEOUTS }],
]
