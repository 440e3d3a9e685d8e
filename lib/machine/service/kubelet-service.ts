/** The kubelet as a service, started the way kubeadm's packages do. */
import { KUBERNETES } from '../../base/paths.ts'
import type { Service } from './service.ts'

/** Name of the service; kubeadm's own tools look for it. */
export const KUBELET = 'kubelet'

/** Services of runtimes: ours, and those of packages. */
const RUNTIMES: readonly string[] = ['kubestep-containerd', 'containerd', 'crio', 'cri-docker']

/**
 * The service for a kubelet binary. kubeadm-flags.env is read at every start, as its package's drop-in does, so
 * that `kubeadm upgrade` and hand edits work.
 * Source: kubeadm's 10-kubeadm.conf: kubeconfig, config, KUBELET_KUBEADM_ARGS, in this order.
 */
export function kubeletService(binary: string): Service {
  return {
    name: KUBELET,
    about: 'kubelet of the kubestep cluster',
    command: [
      binary,
      `--bootstrap-kubeconfig=${KUBERNETES.bootstrapConf}`,
      `--kubeconfig=${KUBERNETES.kubeletConf}`,
      `--config=${KUBERNETES.kubeletConfig}`,
    ],
    moreArguments: { file: KUBERNETES.kubeletFlags, variable: 'KUBELET_KUBEADM_ARGS' },
    restartDelayMs: 1000,
    after: RUNTIMES,
  }
}
