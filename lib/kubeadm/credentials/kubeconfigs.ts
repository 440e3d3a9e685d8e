/**
 * The table of kubeconfigs: which files there are, whom each one makes its bearer, and which server it names.
 * Source: kubeadm phases/kubeconfig/kubeconfig.go, cmd/phases/init/kubeconfig.go (v1.18 to v1.36).
 */
import { formatAddress, joinHostPort, parseAddress } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince, type Since, type Version, valueSince } from '../../base/version.ts'
import { controlPlaneUrl } from '../config/control-plane-url.ts'
import { isFeatureEnabled } from '../config/features.ts'
import { CLUSTER_ADMINS, MASTERS } from './certificates.ts'
import type { Subject } from './x509.ts'

export type KubeconfigName = 'admin' | 'super-admin' | 'kubelet' | 'controller-manager' | 'scheduler'

/** Which address a kubeconfig names; `gated` depends on ControlPlaneKubeletLocalMode. */
type Server = 'control plane' | 'local' | 'gated'

export interface KubeconfigSpec {
  readonly name: KubeconfigName
  /** Name below the kubeconfig folder. */
  readonly file: string
  /** What it is, for help. */
  readonly longName: string
  /** First kubeadm release that writes it. */
  readonly since: string
  /** The client's name; `<node>` stands for the name of the node. */
  readonly user: string
  readonly organizations: Since<readonly string[]>
  readonly server: Since<Server>
}

// Source: kubernetes PR 94398 (1.20), back-ported to 1.19.1.
const LOCAL_SERVER: Since<Server> = { '1.18': 'control plane', '1.19.1': 'local' }

export const KUBECONFIGS: readonly KubeconfigSpec[] = [
  {
    name: 'admin',
    file: 'admin.conf',
    longName: 'kubeconfig file for the admin to use and for kubeadm itself',
    since: '1.18',
    user: 'kubernetes-admin',
    // Source: kubernetes PR 121305 (1.29), like super-admin.conf.
    organizations: { '1.18': [MASTERS], '1.29': [CLUSTER_ADMINS] },
    server: { '1.18': 'control plane' },
  },
  {
    name: 'super-admin',
    file: 'super-admin.conf',
    longName: 'kubeconfig file for the super-admin',
    since: '1.29',
    user: 'kubernetes-super-admin',
    organizations: { '1.29': [MASTERS] },
    server: { '1.29': 'control plane' },
  },
  {
    name: 'kubelet',
    file: 'kubelet.conf',
    longName: 'kubeconfig file for the kubelet to use *only* for cluster bootstrapping purposes',
    since: '1.18',
    user: 'system:node:<node>',
    organizations: { '1.18': ['system:nodes'] },
    // The gate came in 1.31; the code stopped asking it in 1.35.
    server: { '1.18': 'control plane', '1.31': 'gated', '1.35': 'local' },
  },
  {
    name: 'controller-manager',
    file: 'controller-manager.conf',
    longName: 'kubeconfig file for the controller manager to use',
    since: '1.18',
    user: 'system:kube-controller-manager',
    organizations: { '1.18': [] },
    server: LOCAL_SERVER,
  },
  {
    name: 'scheduler',
    file: 'scheduler.conf',
    longName: 'kubeconfig file for the scheduler to use',
    since: '1.18',
    user: 'system:kube-scheduler',
    organizations: { '1.18': [] },
    server: LOCAL_SERVER,
  },
]

/** The kubeconfigs that a kubeadm release writes. */
export function kubeconfigsOf(kubeadm: Version): KubeconfigSpec[] {
  return KUBECONFIGS.filter(({ since }) => isSince(kubeadm, since))
}

/** Whom the client certificate names. */
export function kubeconfigSubject(spec: KubeconfigSpec, config: InitConfig): Subject {
  return {
    commonName: spec.user.replace('<node>', config.init.nodeRegistration.name),
    organizations: valueSince(spec.organizations, config.kubeadm) ?? [],
  }
}

/** The URL of the server a kubeconfig names, e.g. `https://10.0.0.5:6443`. */
export function kubeconfigServer(spec: KubeconfigSpec, config: InitConfig): string {
  const server = valueSince(spec.server, config.kubeadm)
  const gate = isFeatureEnabled('ControlPlaneKubeletLocalMode', config.cluster.featureGates, config.kubeadm)
  return server === 'local' || (server === 'gated' && gate) ? localUrl(config) : controlPlaneUrl(config)
}

/**
 * The server that kubeadm expects in a kubeconfig somebody else provides, and writes beside a signing request:
 * the kubelet's names the common endpoint there, in every release.
 */
export function externalServer(spec: KubeconfigSpec, config: InitConfig): string {
  return spec.name === 'kubelet' ? controlPlaneUrl(config) : kubeconfigServer(spec, config)
}

/** `https://host:port` of this node's API server, whatever the common endpoint is. Source: kubeadm util/endpoint.go (v1.36). */
export function localUrl({ init }: Pick<InitConfig, 'init'>): string {
  const { advertiseAddress, bindPort } = init.localAPIEndpoint
  const address = parseAddress(advertiseAddress)
  return `https://${joinHostPort(address === undefined ? advertiseAddress : formatAddress(address), bindPort)}`
}
