/**
 * Members of etcd for all further control planes of this machine, taken in at once: each is told of all, so that they can
 * begin side by side. Where etcd takes one learner at a time the others wait for it as on any machine.
 */
import { joinHostPort } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { EtcdError, openEtcd } from '../../cluster/etcd/gateway.ts'
import { addLearner } from '../../cluster/etcd/members.ts'
import { ETCD_PEER_PORT, etcdLoopbackUrl } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { readFile } from '../../machine/files.ts'

/** Of a single one nothing is gained. */
export async function addLearners(config: InitConfig, addresses: readonly string[]): Promise<void> {
  const { cluster } = config
  if (cluster.etcd.local === undefined || addresses.length < 2) return
  const etcd = openEtcd(
    etcdLoopbackUrl(config),
    etcdCredentials(cluster, path => readFile('/', path)),
  )
  try {
    for (const address of addresses) await addLearner(etcd, `https://${joinHostPort(address, ETCD_PEER_PORT)}`)
  } catch (error) {
    // The joins say what is wrong, if it lasts.
    if (!(error instanceof EtcdError)) throw error
  } finally {
    etcd.close()
  }
}
