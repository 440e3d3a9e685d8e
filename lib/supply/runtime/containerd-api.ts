/**
 * containerd's own interface, as far as images are put into it: the calls as tables, in the namespace of CRI's images.
 * Source: containerd api/services (content, images, snapshots, diff, leases; v1 in 1.6 to 2.x).
 */
import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../base/json.ts'
import { CriError, openSession, unary } from '../cri/grpc.ts'
import type { Message } from '../cri/messages.ts'
import { decode, encode } from '../cri/protobuf.ts'
import { NAMESPACE } from './runtime-images.ts'

const DESCRIPTOR: Message = [
  { name: 'mediaType', number: 1, type: 'string' },
  { name: 'digest', number: 2, type: 'string' },
  { name: 'size', number: 3, type: 'int' },
]

const MOUNT: Message = [
  { name: 'type', number: 1, type: 'string' },
  { name: 'source', number: 2, type: 'string' },
  { name: 'target', number: 3, type: 'string' },
  { name: 'options', number: 4, type: 'string', repeated: true },
]

const IMAGE: Message = [
  {
    name: 'image',
    number: 1,
    type: [
      { name: 'name', number: 1, type: 'string' },
      { name: 'target', number: 3, type: DESCRIPTOR },
    ],
  },
]

const SNAPSHOT: Message = [
  { name: 'snapshotter', number: 1, type: 'string' },
  { name: 'key', number: 2, type: 'string' },
]

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
  | 'Diff/Apply'
  | 'Leases/Create'
  | 'Leases/Delete'

const METHODS: Readonly<Record<ContainerdMethod, Method>> = {
  'Content/Write': {
    service: 'content',
    request: [
      { name: 'action', number: 1, type: 'int' },
      { name: 'ref', number: 2, type: 'string' },
      { name: 'total', number: 3, type: 'int' },
      { name: 'expected', number: 4, type: 'string' },
      { name: 'offset', number: 5, type: 'int' },
      { name: 'labels', number: 7, type: 'map' },
    ],
    response: [],
  },
  'Images/Create': { service: 'images', request: IMAGE, response: [] },
  'Images/Update': { service: 'images', request: IMAGE, response: [] },
  'Snapshots/Stat': { service: 'snapshots', request: SNAPSHOT, response: [] },
  'Snapshots/Prepare': {
    service: 'snapshots',
    request: [...SNAPSHOT, { name: 'parent', number: 3, type: 'string' }],
    response: [{ name: 'mounts', number: 1, type: MOUNT, repeated: true }],
  },
  'Snapshots/Commit': {
    service: 'snapshots',
    request: [
      { name: 'snapshotter', number: 1, type: 'string' },
      { name: 'name', number: 2, type: 'string' },
      { name: 'key', number: 3, type: 'string' },
    ],
    response: [],
  },
  'Diff/Apply': {
    service: 'diff',
    request: [
      { name: 'diff', number: 1, type: DESCRIPTOR },
      { name: 'mounts', number: 2, type: MOUNT, repeated: true },
    ],
    response: [{ name: 'applied', number: 1, type: DESCRIPTOR }],
  },
  'Leases/Create': { service: 'leases', request: [{ name: 'id', number: 1, type: 'string' }], response: [] },
  'Leases/Delete': { service: 'leases', request: [{ name: 'id', number: 1, type: 'string' }], response: [] },
}

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
