/**
 * containerd's own interface, as far as images are put into it and looked into: the calls as tables, in the namespace of
 * CRI's images.
 * Source: containerd api/services (content, images, snapshots, diff, leases; v1 in 1.6 to 2.x).
 */
import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../base/json.ts'
import { CriError, openSession, unary } from '../cri/grpc.ts'
import { type Message, message } from '../cri/messages.ts'
import { decode, encode } from '../cri/protobuf.ts'
import { NAMESPACE } from './import-archives.ts'

const DESCRIPTOR = message`mediaType=1 digest=2 size=3:int`
const MOUNT = message`type=1 source=2 target=3 options=4:[]string`
const IMAGE = message`name=1 labels=2:map target=3:${DESCRIPTOR}`

/** What containerd calls a piece of content. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Method {
  readonly service: string
  readonly request: Message
  readonly response: Message
}

export type ContainerdMethod =
  | 'Content/Write'
  | 'Images/Create'
  | 'Images/Update'
  | 'Snapshots/Stat'
  | 'Snapshots/Prepare'
  | 'Snapshots/Commit'
  | 'Snapshots/Remove'
  | 'Snapshots/View'
  | 'Diff/Apply'
  | 'Leases/Create'
  | 'Leases/Delete'

const METHODS: Readonly<Record<ContainerdMethod, Method>> = {
  'Content/Write': {
    service: 'content',
    request: message`action=1:int ref=2 total=3:int expected=4 offset=5:int labels=7:map`,
    response: [],
  },
  'Images/Create': { service: 'images', request: message`image=1:${IMAGE}`, response: [] },
  'Images/Update': {
    service: 'images',
    request: message`image=1:${IMAGE} updateMask=2:${message`paths=1:[]string`}`,
    response: [],
  },
  'Snapshots/Stat': { service: 'snapshots', request: message`snapshotter=1 key=2`, response: [] },
  'Snapshots/Prepare': {
    service: 'snapshots',
    request: message`snapshotter=1 key=2 parent=3`,
    response: message`mounts=1:[]${MOUNT}`,
  },
  'Snapshots/View': {
    service: 'snapshots',
    request: message`snapshotter=1 key=2 parent=3`,
    response: message`mounts=1:[]${MOUNT}`,
  },
  'Snapshots/Remove': { service: 'snapshots', request: message`snapshotter=1 key=2`, response: [] },
  'Snapshots/Commit': { service: 'snapshots', request: message`snapshotter=1 name=2 key=3`, response: [] },
  'Diff/Apply': {
    service: 'diff',
    request: message`diff=1:${DESCRIPTOR} mounts=2:[]${MOUNT}`,
    response: message`applied=1:${DESCRIPTOR}`,
  },
  'Leases/Create': { service: 'leases', request: message`id=1`, response: [] },
  'Leases/Delete': { service: 'leases', request: message`id=1`, response: [] },
}

/** What CRI unpacks images with unless it is told otherwise. */
export const SNAPSHOTTER = 'overlayfs'

/** The action of a write that ends it. */
export const COMMIT = 2

/** gRPC's statuses for what is there already, and for what is not. */
const ALREADY_EXISTS = 6
const NOT_FOUND = 5

/** Unpacking a layer of a gigabyte takes some. */
const CALL_LIMIT_MS = 10 * 60_000

export interface Containerd {
  /** Throws a CriError. */
  readonly call: (method: ContainerdMethod, request: JsonObject) => Promise<JsonObject>
  /** The same, and whether it could: false where it is there already, or is not. Throws a CriError for anything else. */
  readonly tries: (method: ContainerdMethod, request: JsonObject) => Promise<boolean>
}

/**
 * Runs `work` with a connection and a lease: until it ends nothing that it makes is collected as garbage. Throws what
 * `work` throws, and a CriError.
 */
export async function withContainerd<Result>(
  socket: string,
  work: (containerd: Containerd) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(socket)
  const lease = `kubestep-${randomUUID()}`
  const call: Containerd['call'] = async (name, request) => {
    const { service, request: takes, response } = METHODS[name]
    const answer = await unary(session, socket, {
      path: `/containerd.services.${service}.v1.${name}`,
      message: encode(takes, request),
      timeoutMs: CALL_LIMIT_MS,
      headers: { 'containerd-namespace': NAMESPACE, 'containerd-lease': lease },
    })
    return decode(response, answer)
  }
  const tries: Containerd['tries'] = async (name, request) => {
    try {
      await call(name, request)
      return true
    } catch (error) {
      if (error instanceof CriError && [ALREADY_EXISTS, NOT_FOUND].includes(error.status)) return false
      throw error
    }
  }
  try {
    await call('Leases/Create', { id: lease })
    return await work({ call, tries })
  } finally {
    await tries('Leases/Delete', { id: lease }).catch(() => {})
    session.close()
  }
}
