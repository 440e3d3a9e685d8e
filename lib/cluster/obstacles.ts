/** What would make an init fail half way, looked for before anything is changed; all of it is reported at once. */
import { createServer } from 'node:net'
import type { InitConfig } from '../config/types.ts'
import { KubestepError } from '../errors.ts'
import { listFolder } from '../files.ts'
import { holderText, type PortHolder, portHolders } from '../host/ports.ts'
import { liveHost } from '../host/source.ts'

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
  const wanted = ports(config)
  const holders = portHolders(
    liveHost(),
    wanted.map(({ port }) => port),
  )
  const taken = await Promise.all(wanted.map(async use => ((await isFree(use.port, holders)) ? [] : [use])))
  const dataDir = config.cluster.etcd.local?.dataDir
  const data = dataDir === undefined ? [] : (listFolder('/', dataDir) ?? [])
  const manifests = (listFolder('/', '/etc/kubernetes/manifests') ?? []).filter(name => name.endsWith('.yaml'))
  const faults = [
    ...taken.flat().map(({ port, what }) => `cannot give port ${port} to ${what}: ${heldBy(port, holders)}; stop that`),
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

function heldBy(port: number, holders: readonly PortHolder[]): string {
  const found = holders.filter(holder => holder.port === port).map(holderText)
  return found.length === 0 ? 'something holds it' : `${[...new Set(found)].join(', ')} has it`
}

/** A socket that is bound and does not listen stands in no table: only taking the port shows it. */
function isFree(port: number, holders: readonly PortHolder[]): Promise<boolean> {
  if (holders.some(holder => holder.port === port)) return Promise.resolve(false)
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve((error as NodeJS.ErrnoException).code !== 'EADDRINUSE'))
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
