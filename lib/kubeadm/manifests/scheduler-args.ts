/** Arguments of kube-scheduler. Source: kubeadm phases/controlplane/manifests.go (v1.18.9 to v1.36.2). */
import { KUBERNETES } from '../../base/paths.ts'
import type { ArgumentRow } from './command-line.ts'
import { INSECURE_PORT } from './controller-manager-args.ts'
import { dualStackGate } from './dual-stack.ts'

export const SCHEDULER_KUBECONFIG: string = KUBERNETES.schedulerConf

export const SCHEDULER_ARGUMENTS: readonly ArgumentRow[] = [
  { name: 'authentication-kubeconfig', value: SCHEDULER_KUBECONFIG },
  { name: 'authorization-kubeconfig', value: SCHEDULER_KUBECONFIG },
  { name: 'bind-address', value: '127.0.0.1' },
  dualStackGate,
  { name: 'kubeconfig', value: SCHEDULER_KUBECONFIG },
  { name: 'leader-elect', value: 'true' },
  { name: 'port', value: '0', releases: INSECURE_PORT },
]
