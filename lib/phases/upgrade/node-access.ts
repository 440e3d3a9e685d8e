/** The ways of an upgrade into its cluster and into what runs on this node. */
import { timerMilliseconds } from '../../base/duration.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { openAdminApi } from '../../cluster/api/admin-api.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { contextOf } from '../../cluster/diagnose/diagnosis-context.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { openEtcd } from '../../cluster/etcd/gateway.ts'
import { statusOf } from '../../cluster/etcd/members.ts'
import { gateContext } from '../../cluster/ready/gate-context.ts'
import { etcdLoopbackUrl } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import type { PodWatch } from './replaced-pod.ts'
import type { Unfinished } from './unfinished.ts'
import { readHere } from './upgrade-outlook.ts'

/** Control planes speak to their own API server; workers, as who they are, to the one that kubelet.conf names. */
export function openNodeApi({ to, isControlPlane }: Unfinished, { flags }: Pick<Call, 'flags'>): Api {
  if (isControlPlane && flags.kubeconfig === undefined) return openAdminApi(to, readHere, KUBERNETES.folder)
  const file = flags.kubeconfig ?? KUBERNETES.kubeletConf
  return openApi(readCredentials(readHere(file) ?? '', file, readHere))
}

/** What --timeout leaves, which is for the whole of a run; without it each part has its own limit. */
export function timeLeft({ timeout }: Pick<Flags, 'timeout'>, limit: string): number {
  return timeout === undefined
    ? timerMilliseconds(limit)
    : Math.max(0, Math.round(timerMilliseconds(timeout) - performance.now()))
}

/** What replacing a static Pod is watched by. */
export function podWatch(
  { to, request }: Unfinished,
  api: Api,
  { flags, output }: Pick<Call, 'flags' | 'output'>,
): PodWatch {
  const socket = to.init.nodeRegistration.criSocket
  return {
    api,
    gates: gateContext(to, api),
    lookAtEtcd: () => lookAtEtcd(to),
    diagnosis: contextOf(to, serviceManager(), socket, api),
    limitMs: () => timeLeft(flags, request.timeouts.upgradeManifests),
    say: output.say,
  }
}

async function lookAtEtcd(config: InitConfig): Promise<true | string> {
  const client = openEtcd(etcdLoopbackUrl(config), etcdCredentials(config.cluster, readHere))
  try {
    const { leader } = await statusOf(client)
    return leader !== '0' || 'it sees no leader'
  } finally {
    client.close()
  }
}
