/**
 * Until a new member of etcd serves clients: an API server that finds it silent ends, and waits longer each time. A
 * member serves when it has seen in the log that it has announced itself. Where that is a part of the snapshot which it
 * begins with, it never sees it, and announces itself again after 7 s or more; one that is started again does so at once.
 * Source: etcd server/etcdserver/server.go, publishV3, applyAll (v3.5, v3.6); since 3.6 a log of 100 entries is enough.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import { appliedIndex } from '../../cluster/etcd/applied-index.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { type Etcd, openEtcd } from '../../cluster/etcd/gateway.ts'
import { statusOf } from '../../cluster/etcd/members.ts'
import { etcdLoopbackUrl, loopback } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { HEALTH_PORTS } from '../../kubeadm/manifests/static-pods.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { endContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import type { JoinRun } from './join-run.ts'

const POLL_MS = 50

/** Who has seen it serves within milliseconds. */
const SERVES_MS = 500

/** It has nothing to finish. */
const GRACE_SECONDS = 1

/** `etcd` knows that the member has announced itself. Throws a KubestepError. */
export async function untilServing(
  { node, call }: JoinRun,
  etcd: Etcd,
  limit: AbortSignal,
  tell: (reason: string) => void,
): Promise<void> {
  const { config, read } = await node()
  const { appliedIndex: announced } = await statusOf(etcd)
  const own = openEtcd(etcdLoopbackUrl(config), etcdCredentials(config.cluster, read))
  let isAgain = false
  try {
    for (;;) {
      const applied = await appliedIndex(loopback(config), HEALTH_PORTS.etcd)
      const fault = await statusOf(own, SERVES_MS).then(() => undefined, reasonOf)
      if (fault === undefined) return
      if (limit.aborted) {
        throw new KubestepError(
          `etcd-join: cannot reach the new member of etcd in time: ${fault}; see the log of its container`,
        )
      }
      tell(fault)
      if (!isAgain && applied !== undefined && applied >= announced) {
        isAgain = true
        call.output.detail('[etcd] Starting the new member again, so that it announces itself again')
        await endEtcd(clusterSocket() ?? config.init.nodeRegistration.criSocket)
      }
      await sleep(POLL_MS)
    }
  } finally {
    own.close()
  }
}

/** The kubelet starts another one in its place. One that is not found announces itself later. */
async function endEtcd(socket: string): Promise<void> {
  const cri = await openCri(socket)
  try {
    const found = (await podContainers(cri)).filter(
      ({ namespace, name, state }) => namespace === 'kube-system' && name === 'etcd' && state === 'running',
    )
    await Promise.all(found.map(({ id }) => endContainer(cri, id, GRACE_SECONDS)))
  } finally {
    cri.close()
  }
}
