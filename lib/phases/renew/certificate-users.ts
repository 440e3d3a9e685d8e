/** Who uses a certificate, and whether it takes a renewed one by itself; those that do not are started again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { isSince } from '../../base/version.ts'
import type { Call } from '../../cli/script.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import type { Renewable } from '../../kubeadm/credentials/renewable.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { type Cri, openCri } from '../../supply/cri/cri-client.ts'
import { endContainer, type PodContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { unreachedGate } from '../run/healthy-again.ts'
import type { LiveConfig } from '../run/live-config.ts'

interface Taker {
  /** Name of the static Pod. */
  readonly name: string
  /** Certificates that it uses, as the rows of `renew` have them. */
  readonly uses: (row: Renewable) => boolean
  /** First release that looks at its files again and again; one that reads them at its start alone has none. */
  readonly rereads?: string
}

/**
 * etcd reads its files at each connection (client/pkg/transport/listener.go, v3.2 on). The API server looks at its own
 * at least once a minute and at those of its clients every five (dynamiccertificates, client-go
 * transport/cert_rotation.go). What is embedded in a kubeconfig is read once: seen with v1.36.2, where the scheduler
 * and the controller manager were turned away as soon as the old one had ended.
 */
const TAKERS: readonly Taker[] = [
  {
    name: 'kube-apiserver',
    uses: row => 'leaf' in row && !['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'].includes(row.name),
    rereads: '1.20',
  },
  { name: 'kube-controller-manager', uses: ({ name }) => name === 'controller-manager.conf' },
  { name: 'kube-scheduler', uses: ({ name }) => name === 'scheduler.conf' },
]

/** How long after a change the last of those that look again has looked. */
const REREAD_MS = 5 * 60_000

/** Static Pods of this node that have to be started again; `rows` are about to be renewed, each with when it ends now. */
export function takersOf(
  rows: readonly (readonly [row: Renewable, end?: Date])[],
  { kubeadm }: Pick<InitConfig, 'kubeadm'>,
  read: LiveConfig['read'],
  now: Date,
): string[] {
  const ends = (end: Date | undefined): boolean => end !== undefined && end.getTime() < now.getTime() + REREAD_MS
  return TAKERS.filter(({ name, uses, rereads }) => {
    const used = rows.filter(([row]) => uses(row))
    const isLate = rereads === undefined || !isSince(kubeadm, rereads) || used.some(([, end]) => ends(end))
    return used.length > 0 && isLate && read(`${KUBERNETES.manifests}/${name}.yaml`) !== undefined
  }).map(({ name }) => name)
}

const POLL_MS = 100

export interface Restart {
  /** Static Pods of this node. */
  readonly pods: readonly string[]
  /** Whether its kubelet has another certificate. */
  readonly kubelet: boolean
  /** Whether admin.conf has another one; people have copies of it. */
  readonly admin: boolean
}

/**
 * Starts them again and waits until the control plane is healthy, or says what is to be done where it may not.
 * Throws a KubestepError that names what does not come up.
 */
export async function startAgain(
  { pods, kubelet, admin }: Restart,
  live: LiveConfig,
  { flags, output }: Call,
): Promise<void> {
  const { config } = live
  const copies = `kubeconfigs that were copied from "${KUBERNETES.adminConf}" hold the old certificate: copy it again`
  if (admin) output.say(`[renew] ${copies}`)
  const names = [...(kubelet ? [`the ${KUBELET}`] : []), ...pods].join(', ')
  if (names === '') return
  const socket = flags['skip-restart'] ? undefined : clusterSocket()
  if (socket === undefined) {
    output.say(`[renew] You must restart ${names}, so that they can use the new certificates`)
    return
  }
  const deadline = AbortSignal.timeout(
    timerMilliseconds(flags.timeout ?? config.init.timeouts.controlPlaneComponentHealthCheck),
  )
  const cri = await openCri(socket)
  try {
    output.say(`[renew] Starting ${names} again`)
    const old = await newestContainers(cri, pods)
    // Whoever ended by itself may be put off for minutes by now; a kubelet that starts puts nobody off.
    if (kubelet || old.some(container => container?.state !== 'running')) await serviceManager().restart(KUBELET)
    const running = old.filter(container => container?.state === 'running')
    await Promise.all(running.map(container => endContainer(cri, container?.id ?? '')))
    await replaced(cri, pods, old, deadline)
  } finally {
    cri.close()
  }
  const broken = await unreachedGate('api,control-plane', live, deadline)
  if (broken === undefined) return output.say('[renew] The control plane is healthy with the new certificates')
  throw new KubestepError(
    `certs: cannot see that the control plane is healthy again: ${broken}; the certificates are renewed, look at it with the logs script`,
  )
}

/** The newest container of each static Pod, in the order of the names. */
async function newestContainers(cri: Cri, names: readonly string[]): Promise<(PodContainer | undefined)[]> {
  const containers = (await podContainers(cri)).filter(({ namespace }) => namespace === 'kube-system')
  return names.map(name => containers.find(one => one.name === name))
}

/** Waits for those that the kubelet starts in the place of old ones. Throws a KubestepError. */
async function replaced(
  cri: Cri,
  names: readonly string[],
  old: readonly (PodContainer | undefined)[],
  deadline: AbortSignal,
): Promise<void> {
  for (;;) {
    const now = await newestContainers(cri, names)
    const late = names.filter((_, index) => now[index]?.state !== 'running' || now[index]?.id === old[index]?.id)
    if (late.length === 0) return
    if (deadline.aborted) {
      throw new KubestepError(
        `certs: cannot start ${late.join(', ')} again: the kubelet has not done so in time; the certificates are renewed, look at it with the logs script`,
      )
    }
    await sleep(POLL_MS)
  }
}
