/** The kubelet as a service, started the way kubeadm's packages do. */
import type { Service } from './service.ts'

/** Name of the service; kubeadm's own tools look for it. */
export const KUBELET = 'kubelet'

const FLAGS_FILE = '/var/lib/kubelet/kubeadm-flags.env'

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
      '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
      '--kubeconfig=/etc/kubernetes/kubelet.conf',
      '--config=/var/lib/kubelet/config.yaml',
    ],
    moreArguments: { file: FLAGS_FILE, variable: 'KUBELET_KUBEADM_ARGS' },
    restartDelayMs: 1000,
    after: RUNTIMES,
  }
}
