/**
 * The fields of kubeadm's API versions; the form is that of base/go/struct-table.ts.
 * Source: kubeadm apis/kubeadm/v1beta4 and v1beta3 types.go (v1.36), v1beta2 (v1.18, v1.26; kubeadm 1.15 to 1.26),
 * apis/bootstraptoken/v1/types.go, core/v1 types.go (fileKeyRef since 1.34); httpEndpoints: k/k PR 134890.
 */
import { structTable } from '../../base/go/struct-table.ts'

const SHARED = `
Taint
  key! value effect! timeAdded:*time
EnvVar
  name! value valueFrom:*EnvVarSource
HostPathMount
  name! hostPath! mountPath! readOnly:bool pathType
BootstrapToken
  token:*string! description ttl:*duration expires:*time usages:[]string groups:[]string
APIEndpoint
  advertiseAddress bindPort:int32
Networking
  serviceSubnet podSubnet dnsDomain
ImageMeta
  imageRepository imageTag
Patches
  directory
JoinControlPlane
  localAPIEndpoint:APIEndpoint certificateKey
EnvVarSource
  fieldRef:*ObjectFieldSelector resourceFieldRef:*ResourceFieldSelector configMapKeyRef:*KeySelector
  secretKeyRef:*KeySelector fileKeyRef:*FileKeySelector
ObjectFieldSelector
  apiVersion fieldPath!
ResourceFieldSelector
  containerName resource! divisor:quantity
KeySelector
  name key! optional:*bool
FileKeySelector
  volumeName! path! key! optional:*bool
Etcd
  local:*LocalEtcd external:*ExternalEtcd
BootstrapTokenDiscovery
  token! apiServerEndpoint caCertHashes:[]string unsafeSkipCAVerification:bool
FileDiscovery
  kubeConfigPath!
`

export const V1BETA4: ReturnType<typeof structTable> = structTable(`${SHARED}
InitConfiguration
  bootstrapTokens:[]BootstrapToken dryRun:bool nodeRegistration:NodeRegistration localAPIEndpoint:APIEndpoint
  certificateKey skipPhases:[]string patches:*Patches timeouts:*Timeouts
ClusterConfiguration
  etcd:Etcd networking:Networking kubernetesVersion controlPlaneEndpoint apiServer:APIServer
  controllerManager:ControlPlaneComponent scheduler:ControlPlaneComponent dns:DNS proxy:Proxy certificatesDir
  imageRepository featureGates:{}bool clusterName encryptionAlgorithm certificateValidityPeriod:*duration
  caCertificateValidityPeriod:*duration
JoinConfiguration
  dryRun:bool nodeRegistration:NodeRegistration caCertPath discovery:Discovery controlPlane:*JoinControlPlane
  skipPhases:[]string patches:*Patches timeouts:*Timeouts
ResetConfiguration
  cleanupTmpDir:bool certificatesDir criSocket dryRun:bool force:bool ignorePreflightErrors:[]string
  skipPhases:[]string unmountFlags:[]string timeouts:*Timeouts
UpgradeConfiguration
  apply:UpgradeApply diff:UpgradeDiff node:UpgradeNode plan:UpgradePlan timeouts:*Timeouts
NodeRegistration
  name criSocket taints:[]Taint kubeletExtraArgs:[]Arg ignorePreflightErrors:[]string imagePullPolicy
  imagePullSerial:*bool
Timeouts
  controlPlaneComponentHealthCheck:*duration kubeletHealthCheck:*duration kubernetesAPICall:*duration
  etcdAPICall:*duration tlsBootstrap:*duration discovery:*duration upgradeManifests:*duration
APIServer
  extraArgs:[]Arg extraVolumes:[]HostPathMount extraEnvs:[]EnvVar certSANs:[]string
ControlPlaneComponent
  extraArgs:[]Arg extraVolumes:[]HostPathMount extraEnvs:[]EnvVar
DNS
  imageRepository imageTag disabled:bool
Proxy
  disabled:bool
Discovery
  bootstrapToken:*BootstrapTokenDiscovery file:*FileDiscovery tlsBootstrapToken
UpgradeApply
  certificateRenewal:*bool dryRun:*bool etcdUpgrade:*bool ignorePreflightErrors:[]string skipPhases:[]string
  patches:*Patches imagePullPolicy imagePullSerial:*bool kubernetesVersion allowExperimentalUpgrades:*bool
  allowRCUpgrades:*bool forceUpgrade:*bool printConfig:*bool
UpgradeDiff
  kubernetesVersion contextLines:int64
UpgradeNode
  certificateRenewal:*bool dryRun:*bool etcdUpgrade:*bool ignorePreflightErrors:[]string skipPhases:[]string
  patches:*Patches imagePullPolicy imagePullSerial:*bool
UpgradePlan
  kubernetesVersion allowExperimentalUpgrades:*bool allowRCUpgrades:*bool dryRun:*bool etcdUpgrade:*bool
  ignorePreflightErrors:[]string printConfig:*bool
Arg
  name! value!
LocalEtcd
  imageRepository imageTag dataDir! extraArgs:[]Arg extraEnvs:[]EnvVar serverCertSANs:[]string peerCertSANs:[]string
ExternalEtcd
  endpoints:[]string! httpEndpoints:[]string@1.35 caFile! certFile! keyFile!
`)

const V1BETA3_TYPES = `
InitConfiguration
  bootstrapTokens:[]BootstrapToken nodeRegistration:NodeRegistration localAPIEndpoint:APIEndpoint certificateKey
  skipPhases:[]string patches:*Patches
ClusterConfiguration
  etcd:Etcd networking:Networking kubernetesVersion controlPlaneEndpoint apiServer:APIServer
  controllerManager:ControlPlaneComponent scheduler:ControlPlaneComponent dns:ImageMeta certificatesDir
  imageRepository featureGates:{}bool clusterName
JoinConfiguration
  nodeRegistration:NodeRegistration caCertPath discovery:Discovery controlPlane:*JoinControlPlane skipPhases:[]string
  patches:*Patches
NodeRegistration
  name criSocket taints:[]Taint kubeletExtraArgs:{}string ignorePreflightErrors:[]string imagePullPolicy
APIServer
  extraArgs:{}string extraVolumes:[]HostPathMount certSANs:[]string timeoutForControlPlane:*duration
ControlPlaneComponent
  extraArgs:{}string extraVolumes:[]HostPathMount
Discovery
  bootstrapToken:*BootstrapTokenDiscovery file:*FileDiscovery tlsBootstrapToken timeout:*duration
LocalEtcd
  imageRepository imageTag dataDir! extraArgs:{}string serverCertSANs:[]string peerCertSANs:[]string
ExternalEtcd
  endpoints:[]string! caFile! certFile! keyFile!
`

export const V1BETA3: ReturnType<typeof structTable> = structTable(SHARED + V1BETA3_TYPES)

export const V1BETA2: ReturnType<typeof structTable> = structTable(`${SHARED}${V1BETA3_TYPES}
InitConfiguration
  bootstrapTokens:[]BootstrapToken nodeRegistration:NodeRegistration localAPIEndpoint:APIEndpoint certificateKey
ClusterConfiguration
  etcd:Etcd networking:Networking kubernetesVersion controlPlaneEndpoint apiServer:APIServer
  controllerManager:ControlPlaneComponent scheduler:ControlPlaneComponent dns:DNS certificatesDir imageRepository
  useHyperKubeImage:bool featureGates:{}bool clusterName
JoinConfiguration
  nodeRegistration:NodeRegistration caCertPath discovery:Discovery controlPlane:*JoinControlPlane
NodeRegistration
  name criSocket taints:[]Taint kubeletExtraArgs:{}string ignorePreflightErrors:[]string
DNS
  type! imageRepository imageTag
`)
