/** Certificates that are renewed with what uses them. Source: kubeadm phases/upgrade/staticpods.go, upgradeComponent (v1.36). */

import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { type Renewable, renewablesOf } from '../../kubeadm/credentials/renewable.ts'
import { renewCredentials } from '../../kubeadm/credentials/renewal.ts'
import type { ComponentName } from '../../kubeadm/manifests/static-pods.ts'
import { writeFiles } from '../../machine/files.ts'
import type { Unfinished } from './unfinished.ts'
import { readHere } from './upgrade-outlook.ts'

/** By the names that `certs renew` has for them. */
export const RENEWED_WITH: Readonly<Record<ComponentName, readonly string[]>> = {
  etcd: ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'],
  'kube-apiserver': ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'apiserver-etcd-client'],
  'kube-controller-manager': ['controller-manager.conf'],
  'kube-scheduler': ['scheduler.conf'],
}

/** Those of people, which nothing has to be started again for. */
export const OF_ADMINS: readonly string[] = ['admin.conf', 'super-admin.conf']

/** Those of them that this cluster has: what an external etcd is asked with comes from elsewhere. */
export function renewedRows(config: Pick<InitConfig, 'cluster' | 'kubeadm'>, names: readonly string[]): Renewable[] {
  return renewablesOf(config).filter(({ name }) => names.includes(name))
}

/** Renews them as they are, names and all; what a CA elsewhere has signed stays. Throws a KubestepError. */
export async function renewWith({ to, request }: Unfinished, names: readonly string[]): Promise<void> {
  if (!request.certificateRenewal) return
  const { files } = await renewCredentials({
    config: to,
    read: readHere,
    place: path => path,
    now: new Date(),
    rows: renewedRows(to, names),
    all: true,
    rebuildNames: false,
    kubeconfigs: KUBERNETES.folder,
  })
  writeFiles('/', files)
}
