/**
 * The messages of the Container Runtime Interface that this project sends and reads, as tables:
 * field name, number, type. Fields that nobody here needs are left out: protobuf skips what it does not know.
 * Source: k8s.io/cri-api/pkg/apis/runtime/v1/api.proto (v1.36); v1alpha2 has the same numbers.
 */

export type FieldType = 'string' | 'bool' | 'int' | 'map' | Message

export interface Field {
  readonly name: string
  readonly number: number
  readonly type: FieldType
  readonly repeated?: true
}

export type Message = readonly Field[]

const IMAGE_SPEC: Message = [{ name: 'image', number: 1, type: 'string' }]

const CONDITION: Message = [
  { name: 'type', number: 1, type: 'string' },
  { name: 'status', number: 2, type: 'bool' },
  { name: 'reason', number: 3, type: 'string' },
  { name: 'message', number: 4, type: 'string' },
]

const SANDBOX_METADATA: Message = [
  { name: 'name', number: 1, type: 'string' },
  { name: 'uid', number: 2, type: 'string' },
  { name: 'namespace', number: 3, type: 'string' },
]

const SANDBOX: Message = [
  { name: 'id', number: 1, type: 'string' },
  { name: 'metadata', number: 2, type: SANDBOX_METADATA },
  { name: 'state', number: 3, type: 'int' },
  { name: 'labels', number: 5, type: 'map' },
]

const CONTAINER_METADATA: Message = [
  { name: 'name', number: 1, type: 'string' },
  { name: 'attempt', number: 2, type: 'int' },
]

const CONTAINER: Message = [
  { name: 'id', number: 1, type: 'string' },
  { name: 'podSandboxId', number: 2, type: 'string' },
  { name: 'metadata', number: 3, type: CONTAINER_METADATA },
  { name: 'image', number: 4, type: IMAGE_SPEC },
  { name: 'state', number: 6, type: 'int' },
  { name: 'createdAt', number: 7, type: 'int' },
  { name: 'labels', number: 8, type: 'map' },
]

const CONTAINER_STATUS: Message = [
  { name: 'id', number: 1, type: 'string' },
  { name: 'state', number: 3, type: 'int' },
  // Nanoseconds since 1970.
  { name: 'startedAt', number: 5, type: 'int' },
  { name: 'finishedAt', number: 6, type: 'int' },
  { name: 'exitCode', number: 7, type: 'int' },
  { name: 'reason', number: 10, type: 'string' },
  { name: 'message', number: 11, type: 'string' },
  { name: 'logPath', number: 15, type: 'string' },
]

const IMAGE: Message = [
  { name: 'id', number: 1, type: 'string' },
  { name: 'repoTags', number: 2, type: 'string', repeated: true },
  { name: 'repoDigests', number: 3, type: 'string', repeated: true },
  { name: 'size', number: 4, type: 'int' },
]

const AUTH: Message = [
  { name: 'username', number: 1, type: 'string' },
  { name: 'password', number: 2, type: 'string' },
  { name: 'auth', number: 3, type: 'string' },
  { name: 'serverAddress', number: 4, type: 'string' },
  { name: 'identityToken', number: 5, type: 'string' },
]

const NOTHING: Message = []

/** A call: which service serves it, what it takes, what it gives. */
export interface Method {
  readonly service: 'RuntimeService' | 'ImageService'
  readonly request: Message
  readonly response: Message
}

export type MethodName =
  | 'Version'
  | 'Status'
  | 'RuntimeConfig'
  | 'ListPodSandbox'
  | 'StopPodSandbox'
  | 'RemovePodSandbox'
  | 'ListContainers'
  | 'ContainerStatus'
  | 'StopContainer'
  | 'ListImages'
  | 'ImageStatus'
  | 'PullImage'
  | 'RemoveImage'

export const METHODS: Readonly<Record<MethodName, Method>> = {
  Version: {
    service: 'RuntimeService',
    request: [{ name: 'version', number: 1, type: 'string' }],
    response: [
      { name: 'runtimeName', number: 2, type: 'string' },
      { name: 'runtimeVersion', number: 3, type: 'string' },
      { name: 'runtimeApiVersion', number: 4, type: 'string' },
    ],
  },
  Status: {
    service: 'RuntimeService',
    request: [{ name: 'verbose', number: 1, type: 'bool' }],
    response: [
      { name: 'status', number: 1, type: [{ name: 'conditions', number: 1, type: CONDITION, repeated: true }] },
      { name: 'info', number: 2, type: 'map' },
    ],
  },
  RuntimeConfig: {
    service: 'RuntimeService',
    request: NOTHING,
    // cgroupDriver: 0 systemd, 1 cgroupfs.
    response: [{ name: 'linux', number: 1, type: [{ name: 'cgroupDriver', number: 1, type: 'int' }] }],
  },
  ListPodSandbox: {
    service: 'RuntimeService',
    request: NOTHING,
    response: [{ name: 'items', number: 1, type: SANDBOX, repeated: true }],
  },
  StopPodSandbox: {
    service: 'RuntimeService',
    request: [{ name: 'podSandboxId', number: 1, type: 'string' }],
    response: NOTHING,
  },
  RemovePodSandbox: {
    service: 'RuntimeService',
    request: [{ name: 'podSandboxId', number: 1, type: 'string' }],
    response: NOTHING,
  },
  ListContainers: {
    service: 'RuntimeService',
    request: NOTHING,
    response: [{ name: 'containers', number: 1, type: CONTAINER, repeated: true }],
  },
  ContainerStatus: {
    service: 'RuntimeService',
    request: [{ name: 'containerId', number: 1, type: 'string' }],
    response: [{ name: 'status', number: 1, type: CONTAINER_STATUS }],
  },
  StopContainer: {
    service: 'RuntimeService',
    // Seconds until it is killed.
    request: [
      { name: 'containerId', number: 1, type: 'string' },
      { name: 'timeout', number: 2, type: 'int' },
    ],
    response: NOTHING,
  },
  ListImages: {
    service: 'ImageService',
    request: NOTHING,
    response: [{ name: 'images', number: 1, type: IMAGE, repeated: true }],
  },
  ImageStatus: {
    service: 'ImageService',
    request: [{ name: 'image', number: 1, type: IMAGE_SPEC }],
    response: [{ name: 'image', number: 1, type: IMAGE }],
  },
  PullImage: {
    service: 'ImageService',
    request: [
      { name: 'image', number: 1, type: IMAGE_SPEC },
      { name: 'auth', number: 2, type: AUTH },
    ],
    response: [{ name: 'imageRef', number: 1, type: 'string' }],
  },
  RemoveImage: {
    service: 'ImageService',
    request: [{ name: 'image', number: 1, type: IMAGE_SPEC }],
    response: NOTHING,
  },
}
