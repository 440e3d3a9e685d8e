/**
 * The messages of the Container Runtime Interface that this project sends and reads. Fields that nobody here needs are left
 * out: protobuf skips what it does not know.
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

/** A message as text: `name=number` is a string, `name=number:type` something else, also a message; `[]` repeats it. */
export function message(pieces: TemplateStringsArray, ...types: readonly Message[]): Message {
  const words = String.raw({ raw: pieces }, ...types.keys())
    .trim()
    .split(/\s+/)
  return words.map(word => {
    const [, name = '', number = '', repeated, type = 'string'] = /^(\w+)=(\d+)(?::(\[\])?(\w+))?$/.exec(word) ?? []
    // A message stands there as its place among them.
    const fieldType = types[Number(type)] ?? (type as FieldType)
    return { name, number: Number(number), type: fieldType, ...(repeated !== undefined && { repeated: true as const }) }
  })
}

const NOTHING: Message = []
const IMAGE_SPEC = message`image=1`
const IMAGE = message`id=1 repoTags=2:[]string repoDigests=3:[]string size=4:int`
const AUTH = message`username=1 password=2 auth=3 serverAddress=4 identityToken=5`
const POD_SANDBOX_ID = message`podSandboxId=1`
const CONDITION = message`type=1 status=2:bool reason=3 message=4`
const SANDBOX = message`id=1 metadata=2:${message`name=1 uid=2 namespace=3`} state=3:int labels=5:map`
const CONTAINER = message`
  id=1 podSandboxId=2 metadata=3:${message`name=1 attempt=2:int`} image=4:${IMAGE_SPEC} state=6:int createdAt=7:int labels=8:map`
/** Times are nanoseconds since 1970. */
const CONTAINER_STATUS = message`
  id=1 state=3:int startedAt=5:int finishedAt=6:int exitCode=7:int reason=10 message=11 logPath=15`

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
  Version: runtime(message`version=1`, message`runtimeName=2 runtimeVersion=3 runtimeApiVersion=4`),
  Status: runtime(message`verbose=1:bool`, message`status=1:${message`conditions=1:[]${CONDITION}`} info=2:map`),
  // cgroupDriver: 0 systemd, 1 cgroupfs.
  RuntimeConfig: runtime(NOTHING, message`linux=1:${message`cgroupDriver=1:int`}`),
  ListPodSandbox: runtime(NOTHING, message`items=1:[]${SANDBOX}`),
  StopPodSandbox: runtime(POD_SANDBOX_ID, NOTHING),
  RemovePodSandbox: runtime(POD_SANDBOX_ID, NOTHING),
  ListContainers: runtime(NOTHING, message`containers=1:[]${CONTAINER}`),
  ContainerStatus: runtime(message`containerId=1 verbose=2:bool`, message`status=1:${CONTAINER_STATUS} info=2:map`),
  // timeout: seconds until it is killed.
  StopContainer: runtime(message`containerId=1 timeout=2:int`, NOTHING),
  ListImages: images(NOTHING, message`images=1:[]${IMAGE}`),
  // info: what is no part of the interface, in containerd's own JSON.
  ImageStatus: images(message`image=1:${IMAGE_SPEC} verbose=2:bool`, message`image=1:${IMAGE} info=2:map`),
  PullImage: images(message`image=1:${IMAGE_SPEC} auth=2:${AUTH}`, message`imageRef=1`),
  RemoveImage: images(message`image=1:${IMAGE_SPEC}`, NOTHING),
}

function runtime(request: Message, response: Message): Method {
  return { service: 'RuntimeService', request, response }
}

function images(request: Message, response: Message): Method {
  return { service: 'ImageService', request, response }
}
