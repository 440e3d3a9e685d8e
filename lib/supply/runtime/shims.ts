/** What containerd's shims put outside of every folder that can be configured: their sockets. */
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { listFolder } from '../../machine/files.ts'

const FOLDER = '/run/containerd/s'

/**
 * Path of a shim's socket; `container` is namespace and id with a slash between.
 * Source: containerd runtime/v2/shim/util_unix.go, SocketAddress (1.6 to 2.x).
 */
export function shimSocket(containerdSocket: string, container: string): string {
  return `${FOLDER}/${createHash('sha256').update(`${containerdSocket}/${container}`).digest('hex')}`
}

/** Sockets of the shims that a containerd has, or had when it died. `state` is its state folder. */
export function shimSockets(state: string, containerdSocket: string): string[] {
  const tasks = `${state}/io.containerd.runtime.v2.task`
  return (listFolder('/', tasks) ?? []).flatMap(namespace =>
    (listFolder('/', `${tasks}/${namespace}`) ?? []).map(id => shimSocket(containerdSocket, `${namespace}/${id}`)),
  )
}

/** Sockets of shims that are gone, and whose containers are forgotten: nobody takes a call there, whoever's they were. */
export async function deadSockets(): Promise<string[]> {
  const paths = (listFolder('/', FOLDER) ?? []).map(name => `${FOLDER}/${name}`)
  const refused = await Promise.all(paths.map(isRefused))
  return paths.filter((_path, index) => refused[index])
}

function isRefused(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'))
  })
}
