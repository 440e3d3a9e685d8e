/** What several API versions share: types of core/v1 and the parts of kubeadm's own that never changed. */
import type { Struct } from '../../base/go/struct.ts'

/** Source: core/v1 types.go. */
export const TAINT: Struct = [
  ['key', 'string!'],
  ['value', 'string'],
  ['effect', 'string!'],
  ['timeAdded', '*time'],
]

const KEY_SELECTOR: Struct = [
  ['name', 'string'],
  ['key', 'string!'],
  ['optional', '*bool'],
]

/** Source: core/v1 types.go; fileKeyRef since 1.34. */
export const ENV_VAR: Struct = [
  ['name', 'string!'],
  ['value', 'string'],
  [
    'valueFrom',
    {
      pointer: [
        [
          'fieldRef',
          {
            pointer: [
              ['apiVersion', 'string'],
              ['fieldPath', 'string!'],
            ],
          },
        ],
        [
          'resourceFieldRef',
          {
            pointer: [
              ['containerName', 'string'],
              ['resource', 'string!'],
              ['divisor', 'quantity'],
            ],
          },
        ],
        ['configMapKeyRef', { pointer: KEY_SELECTOR }],
        ['secretKeyRef', { pointer: KEY_SELECTOR }],
        [
          'fileKeyRef',
          {
            pointer: [
              ['volumeName', 'string!'],
              ['path', 'string!'],
              ['key', 'string!'],
              ['optional', '*bool'],
            ],
          },
        ],
      ],
    },
  ],
]

/** Source: kubeadm apis/kubeadm/v1beta4/types.go (v1.36); the same in v1beta2 and v1beta3. */
export const HOST_PATH_MOUNT: Struct = [
  ['name', 'string!'],
  ['hostPath', 'string!'],
  ['mountPath', 'string!'],
  ['readOnly', 'bool'],
  ['pathType', 'string'],
]

/** Source: kubeadm apis/bootstraptoken/v1/types.go (v1.36); v1beta2 had the same fields. */
export const BOOTSTRAP_TOKEN: Struct = [
  ['token', '*string!'],
  ['description', 'string'],
  ['ttl', '*duration'],
  ['expires', '*time'],
  ['usages', '[]string'],
  ['groups', '[]string'],
]

export const API_ENDPOINT: Struct = [
  ['advertiseAddress', 'string'],
  ['bindPort', 'int32'],
]

export const NETWORKING: Struct = [
  ['serviceSubnet', 'string'],
  ['podSubnet', 'string'],
  ['dnsDomain', 'string'],
]

export const IMAGE_META: Struct = [
  ['imageRepository', 'string'],
  ['imageTag', 'string'],
]

export const PATCHES: Struct = [['directory', 'string']]

/** A control plane node that joins. */
export const JOIN_CONTROL_PLANE: Struct = [
  ['localAPIEndpoint', API_ENDPOINT],
  ['certificateKey', 'string'],
]

export const DISCOVERY: Struct = [
  [
    'bootstrapToken',
    {
      pointer: [
        ['token', 'string!'],
        ['apiServerEndpoint', 'string'],
        ['caCertHashes', '[]string'],
        ['unsafeSkipCAVerification', 'bool'],
      ],
    },
  ],
  ['file', { pointer: [['kubeConfigPath', 'string!']] }],
  ['tlsBootstrapToken', 'string'],
]
