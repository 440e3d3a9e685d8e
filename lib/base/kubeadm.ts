/**
 * The configuration as the rest of the project sees it: the shapes of kubeadm.k8s.io/v1beta4,
 * whatever API version the user wrote. Field names are kubeadm's own.
 * Durations stay text in Go's form (`4m0s`). Source: kubeadm apis/kubeadm/v1beta4/types.go (v1.36).
 */
import type { JsonObject } from './json.ts'
import type { Version } from './version.ts'

export type KubeadmKind =
  | 'InitConfiguration'
  | 'ClusterConfiguration'
  | 'JoinConfiguration'
  | 'ResetConfiguration'
  | 'UpgradeConfiguration'

export type ApiVersion = 'kubeadm.k8s.io/v1beta4' | 'kubeadm.k8s.io/v1beta3' | 'kubeadm.k8s.io/v1beta2'

/** A command line argument of a component, without the leading dashes. */
export interface Arg {
  readonly name: string
  readonly value: string
}

/** core/v1 EnvVar. */
export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: JsonObject
}

export interface HostPathMount {
  readonly name: string
  readonly hostPath: string
  readonly mountPath: string
  readonly readOnly?: boolean
  /** core/v1 HostPathType; '' or absent means no check. */
  readonly pathType?: string
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

export interface ControlPlaneComponent {
  readonly extraArgs?: readonly Arg[]
  readonly extraVolumes?: readonly HostPathMount[]
  readonly extraEnvs?: readonly EnvVar[]
}

export interface ApiServer extends ControlPlaneComponent {
  readonly certSANs?: readonly string[]
}

export interface LocalEtcd {
  readonly imageRepository?: string
  readonly imageTag?: string
  readonly dataDir: string
  readonly extraArgs?: readonly Arg[]
  readonly extraEnvs?: readonly EnvVar[]
  readonly serverCertSANs?: readonly string[]
  readonly peerCertSANs?: readonly string[]
}

export interface ExternalEtcd {
  readonly endpoints: readonly string[]
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly httpEndpoints?: readonly string[]
}

export interface Etcd {
  readonly local?: LocalEtcd
  readonly external?: ExternalEtcd
}

export interface Networking {
  /** One CIDR, or two separated by a comma (dual stack). */
  readonly serviceSubnet: string
  /** Absent: no Pod network is configured. */
  readonly podSubnet?: string
  readonly dnsDomain: string
}

export interface Dns {
  readonly imageRepository?: string
  readonly imageTag?: string
  readonly disabled?: boolean
}

export type EncryptionAlgorithm = 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'ECDSA-P256' | 'ECDSA-P384'

export interface ClusterConfiguration {
  /** As given, with `v`; `ci/...` stays. The parsed form is `InitConfig.version`. */
  readonly kubernetesVersion: string
  readonly clusterName: string
  /** `host:port` once defaults are in; absent when the cluster has no common endpoint. */
  readonly controlPlaneEndpoint?: string
  readonly certificatesDir: string
  readonly imageRepository: string
  readonly featureGates?: Readonly<Record<string, boolean>>
  readonly encryptionAlgorithm: EncryptionAlgorithm
  /** Go duration. */
  readonly certificateValidityPeriod: string
  readonly caCertificateValidityPeriod: string
  readonly networking: Networking
  readonly apiServer: ApiServer
  readonly controllerManager: ControlPlaneComponent
  readonly scheduler: ControlPlaneComponent
  readonly etcd: Etcd
  readonly dns: Dns
  readonly proxy: { readonly disabled?: boolean }
}

export interface ApiEndpoint {
  readonly advertiseAddress: string
  readonly bindPort: number
}

export interface NodeRegistration {
  readonly name: string
  readonly criSocket: string
  /** Always set after defaulting; [] means none. */
  readonly taints: readonly Taint[]
  readonly kubeletExtraArgs?: readonly Arg[]
  readonly ignorePreflightErrors?: readonly string[]
  readonly imagePullPolicy?: string
  readonly imagePullSerial?: boolean
}

export interface BootstrapToken {
  /** `id.secret`. Never printed into logs. */
  readonly token: string
  readonly description?: string
  readonly ttl?: string
  /** RFC 3339. */
  readonly expires?: string
  readonly usages: readonly string[]
  readonly groups?: readonly string[]
}

export interface Timeouts {
  readonly controlPlaneComponentHealthCheck: string
  readonly kubeletHealthCheck: string
  readonly kubernetesAPICall: string
  readonly etcdAPICall: string
  readonly tlsBootstrap: string
  readonly discovery: string
  readonly upgradeManifests: string
}

export interface InitConfiguration {
  readonly bootstrapTokens: readonly BootstrapToken[]
  readonly dryRun?: boolean
  readonly nodeRegistration: NodeRegistration
  readonly localAPIEndpoint: ApiEndpoint
  readonly certificateKey?: string
  readonly skipPhases?: readonly string[]
  readonly patches?: { readonly directory?: string }
  readonly timeouts: Timeouts
}

/** A KubeletConfiguration or KubeProxyConfiguration document. */
export interface ComponentConfig {
  /** The user's document as parsed (apiVersion and kind included); {} when there was none. */
  readonly document: JsonObject
  /** Whether the user supplied it; decides about the hash annotation. */
  readonly userSupplied: boolean
}

/** Everything that an init is decided from, defaults filled in and validated. */
export interface InitConfig {
  readonly init: InitConfiguration
  readonly cluster: ClusterConfiguration
  readonly kubelet: ComponentConfig
  readonly kubeProxy: ComponentConfig
  /** The Kubernetes version to deploy. */
  readonly version: Version
  /**
   * The kubeadm release whose output is written: by default that of `version` (clamped to the known minors).
   * All tables of what changed between releases are looked up with this, image tags of kube-* with `version`.
   */
  readonly kubeadm: Version
  /** As what this machine joins a cluster that is there; absent where it begins one. */
  readonly joins?: NodeRole
  /** Where several control planes of this machine are reached together. */
  readonly balancerPort?: number
  /** TCP ports of this machine that lead to nodes on it. */
  readonly nodePorts?: readonly number[]
}

export type NodeRole = 'worker' | 'control-plane'
