/** Who a client of etcd is. */
import { KubestepError } from '../../base/errors.ts'
import type { ClusterConfiguration } from '../../base/kubeadm.ts'
import type { EtcdCredentials } from './gateway.ts'

/**
 * The credentials that probes of a local etcd have, or those of an external one as configured; the healthcheck client
 * may do all, because kubeadm's etcd has no users. Throws a KubestepError that names the file that is missing.
 */
export function etcdCredentials(
  { certificatesDir, etcd }: Pick<ClusterConfiguration, 'certificatesDir' | 'etcd'>,
  read: (path: string) => string | undefined,
): EtcdCredentials {
  const { external } = etcd
  const folder = `${certificatesDir}/etcd`
  const files = {
    ca: external?.caFile ?? `${folder}/ca.crt`,
    certificate: external?.certFile ?? `${folder}/healthcheck-client.crt`,
    key: external?.keyFile ?? `${folder}/healthcheck-client.key`,
  }
  const text = (path: string): string => {
    const found = read(path)
    if (found !== undefined) return found
    throw new KubestepError(`etcd: cannot talk to etcd: there is no "${path}"; make it with the certs script`)
  }
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, path]) => (path === '' ? [] : [[name, text(path)] as const])),
  )
}
