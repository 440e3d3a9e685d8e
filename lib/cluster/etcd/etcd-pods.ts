/** Where the members of a cluster's own etcd serve clients, as the API knows of their Pods. */
import { joinHostPort } from '../../base/address.ts'
import { objectOf, objectsOf } from '../../base/json.ts'
import { ETCD_CLIENT_PORT } from '../../kubeadm/manifests/etcd-endpoints.ts'
import type { Api } from '../api/api-client.ts'

const PODS = '/api/v1/namespaces/kube-system/pods?labelSelector=component%3Detcd%2Ctier%3Dcontrol-plane'

/** Source: kubeadm constants.go, EtcdAdvertiseClientUrlsAnnotationKey (v1.36). */
const CLIENT_URLS = 'kubeadm.kubernetes.io/etcd.advertise-client-urls'

/** None where etcd is external. Throws an ApiError. */
export async function etcdEndpoints(api: Api): Promise<readonly string[]> {
  const urls = objectsOf((await api.get(PODS))?.items).flatMap(({ metadata, status }) => {
    const told = objectOf(objectOf(metadata).annotations)[CLIENT_URLS]
    if (typeof told === 'string') return told.split(',')
    const { hostIP } = objectOf(status)
    return typeof hostIP === 'string' ? [`https://${joinHostPort(hostIP, ETCD_CLIENT_PORT)}`] : []
  })
  return [...new Set(urls)]
}
