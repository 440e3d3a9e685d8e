/** bootstrap-kubelet.conf: by whom and where a kubelet that joins asks for its certificate. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { type KubeconfigContent, kubeconfigText } from './kubeconfig-file.ts'
import { KUBECONFIGS, kubeconfigServer } from './kubeconfigs.ts'

/** Source: kubeadm discovery/discovery.go, TokenUser (v1.36). */
const USER = 'tls-bootstrap-token-user'

export interface ClusterToJoin {
  /** `https://host:port`, for workers. */
  readonly server: string
  /** PEM. */
  readonly ca: string
  readonly identity: Pick<KubeconfigContent, 'token' | 'certificate' | 'key'>
}

/** Its text; a control plane node asks where its kubelet.conf will point to. Source: kubeadm cmd/phases/join/kubelet.go (v1.36). */
export function bootstrapKubeconfig(config: InitConfig, { server, ca, identity }: ClusterToJoin): string {
  const kubelet = KUBECONFIGS.find(({ name }) => name === 'kubelet')
  const url = config.joins === 'worker' || kubelet === undefined ? server : kubeconfigServer(kubelet, config)
  const { clusterName: cluster } = config.cluster
  return kubeconfigText({ server: url, cluster, user: USER, authority: ca, ...identity }, config.kubeadm)
}
