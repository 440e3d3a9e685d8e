/**
 * The phases of an init in kubeadm's order, and when what each of them renders gets to its place. All of them are
 * rendered at once, beside binaries, runtime and images.
 */
import { addon } from '../addon.ts'
import { bootstrapToken } from '../bootstrap-token.ts'
import { certs } from '../certs.ts'
import { controlPlane } from '../control-plane.ts'
import { etcd } from '../etcd.ts'
import { kubeconfig } from '../kubeconfig.ts'
import { kubeletFinalize } from '../kubelet-finalize.ts'
import { kubeletStart } from '../kubelet-start.ts'
import { markControlPlane } from '../mark-control-plane.ts'
import type { Phase } from '../phase.ts'
import { preflight } from '../preflight.ts'
import type { Step } from '../run/render-steps.ts'
import { showJoinCommand } from '../show-join-command.ts'
import { uploadCerts } from '../upload-certs.ts'
import { uploadConfig } from '../upload-config.ts'
import { waitControlPlane } from '../wait-control-plane.ts'

/** When a step is done. */
export type Moment =
  /** Before anything is changed. */
  | 'look'
  /** Before the kubelet starts, which takes a second to look for static Pods: images go in meanwhile. */
  | 'kubelet'
  /** When the images of pause and etcd are in. */
  | 'etcd'
  /** When its image is in, too. */
  | 'apiserver'
  /** When the API server answers. */
  | 'api'
  /**
   * When it answers and the images of the controller manager and the scheduler are in: a kubelet that misses one tries
   * to pull it and waits ten seconds after that fails. Before that they would only take the API server's time, and a
   * first election that fails costs 2 to 4.4 s.
   */
  | 'controllers'
  /** When it answers and the images of CoreDNS and kube-proxy are in. */
  | 'addons'
  /** When the cluster is ready. */
  | 'end'

export interface InitStep extends Step {
  readonly when: Moment
}

export const INIT: readonly InitStep[] = [
  step('look', preflight),
  step('kubelet', certs),
  step('kubelet', kubeconfig),
  step('etcd', etcd),
  step('apiserver', controlPlane, 'apiserver'),
  step('controllers', controlPlane, 'controller-manager', 'scheduler'),
  step('kubelet', kubeletStart),
  step('api', waitControlPlane),
  step('api', uploadConfig),
  step('api', uploadCerts),
  step('api', markControlPlane),
  step('api', bootstrapToken),
  // Before the kubelet starts, and not after: it need not be started a second time.
  step('kubelet', kubeletFinalize),
  step('addons', addon),
  step('end', showJoinCommand),
]

function step(when: Moment, phase: Phase, ...names: readonly string[]): InitStep {
  return { when, phase, ...(names.length > 0 && { names }) }
}
