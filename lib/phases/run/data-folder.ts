/** The folder of a local etcd, made before its Pod starts: the kubelet would make it readable for everybody. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { makeOwnFolder } from '../../machine/files.ts'

/** Source: kubeadm util/etcd CreateDataDirectory (v1.36). */
const MODE = 0o700

/** Makes it where there is a local etcd; one that is there stays as it is. Throws a KubestepError. */
export function makeDataFolder({ cluster }: InitConfig): void {
  if (cluster.etcd.local !== undefined) makeOwnFolder('/', cluster.etcd.local.dataDir, MODE)
}
