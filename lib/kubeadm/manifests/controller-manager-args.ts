/** Arguments of kube-controller-manager. Source: kubeadm phases/controlplane/manifests.go (v1.18.9 to v1.36.2). */
import { KUBERNETES } from '../../base/paths.ts'
import type { Since } from '../../base/version.ts'
import { type ArgumentRow, type PodInput, pkiFile } from './command-line.ts'
import { dualStackGate, nodeMasks } from './dual-stack.ts'

export const CONTROLLER_MANAGER_KUBECONFIG: string = KUBERNETES.controllerManagerConf

/** Releases that switch insecure serving off with --port=0. Source: CHANGELOG 1.18.6, 1.19.0, 1.23.0 (k/k PRs 104157, 105034). */
export const INSECURE_PORT: Since<boolean> = { '1.18.6': true, '1.23': false }

const pki =
  (name: string) =>
  ({ config }: PodInput): string =>
    pkiFile(config, name)

// Empty in external CA mode, so that the signing controllers do not start.
const signing =
  (name: string) =>
  ({ config, externalCa }: PodInput): string =>
    externalCa ? '' : pkiFile(config, name)

export const CONTROLLER_MANAGER_ARGUMENTS: readonly ArgumentRow[] = [
  { name: 'allocate-node-cidrs', value: ({ config }) => (config.cluster.networking.podSubnet ? 'true' : undefined) },
  { name: 'authentication-kubeconfig', value: CONTROLLER_MANAGER_KUBECONFIG },
  { name: 'authorization-kubeconfig', value: CONTROLLER_MANAGER_KUBECONFIG },
  { name: 'bind-address', value: '127.0.0.1' },
  { name: 'client-ca-file', value: pki('ca.crt') },
  { name: 'cluster-cidr', value: ({ config }) => config.cluster.networking.podSubnet || undefined },
  { name: 'cluster-name', value: ({ config }) => config.cluster.clusterName || undefined },
  { name: 'cluster-signing-cert-file', value: signing('ca.crt') },
  { name: 'cluster-signing-key-file', value: signing('ca.key') },
  { name: 'controllers', value: '*,bootstrapsigner,tokencleaner' },
  dualStackGate,
  { name: 'kubeconfig', value: CONTROLLER_MANAGER_KUBECONFIG },
  { name: 'leader-elect', value: 'true' },
  ...nodeMasks,
  { name: 'port', value: '0', releases: INSECURE_PORT },
  { name: 'requestheader-client-ca-file', value: pki('front-proxy-ca.crt') },
  { name: 'root-ca-file', value: pki('ca.crt') },
  { name: 'service-account-private-key-file', value: pki('sa.key') },
  {
    name: 'service-cluster-ip-range',
    value: ({ config: { cluster } }) =>
      cluster.networking.podSubnet ? cluster.networking.serviceSubnet || undefined : undefined,
  },
  { name: 'use-service-account-credentials', value: 'true' },
]
