/** What would make an init fail half way, looked for before anything is changed; all of it is reported at once. */
import { connect } from 'node:net'
import type { InitConfig } from '../config/types.ts'
import { KubestepError } from '../errors.ts'
import { listFolder } from '../files.ts'

interface PortUse {
  readonly port: number
  readonly what: string
}

function ports({ cluster, init }: InitConfig): PortUse[] {
  return [
    { port: init.localAPIEndpoint.bindPort, what: 'the API server' },
    { port: 10250, what: 'the kubelet' },
    { port: 10257, what: 'the controller manager' },
    { port: 10259, what: 'the scheduler' },
    ...(cluster.etcd.local === undefined
      ? []
      : [
          { port: 2379, what: 'etcd' },
          { port: 2380, what: "etcd's peers" },
        ]),
  ]
}

/**
 * Throws a KubestepError with a line for each: ports in use, data of another etcd, static Pods of another cluster.
 * Source: kubeadm preflight (v1.36), Port-*, DirAvailable--var-lib-etcd, FileAvailable--*.
 */
export async function refuseObstacles(config: InitConfig): Promise<void> {
  const taken = await Promise.all(ports(config).map(async use => ((await isListening(use.port)) ? [use] : [])))
  const dataDir = config.cluster.etcd.local?.dataDir
  const data = dataDir === undefined ? [] : (listFolder('/', dataDir) ?? [])
  const manifests = (listFolder('/', '/etc/kubernetes/manifests') ?? []).filter(name => name.endsWith('.yaml'))
  const faults = [
    ...taken
      .flat()
      .map(
        ({ port, what }) =>
          `cannot give port ${port} to ${what}: something listens on it; stop that (ss -ltnp shows what it is)`,
      ),
    ...(data.length === 0
      ? []
      : [`cannot use "${dataDir}" for etcd: it holds ${data.join(', ')} of another cluster; move it away`]),
    ...(manifests.length === 0
      ? []
      : [
          `cannot write to "/etc/kubernetes/manifests": it holds ${manifests.join(', ')} of another cluster; move them away`,
        ]),
  ]
  if (faults.length > 0) throw new KubestepError(faults.map(fault => `init: ${fault}`).join('\n'))
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (listening: boolean): void => {
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.setTimeout(500, () => end(false))
  })
}
