/**
 * The Go structs of Pods and Deployments as a table: a type, then its fields. `name` is a text, `name:type` something else;
 * `*` is a pointer (unset differs from zero), `[]` a list, `{}` a mapping. A `!` at the end says that the field is written
 * even when it is empty. What nobody patches is `json` or `status`, kept as it is.
 * Source: k8s.io/api core/v1 and apps/v1, apimachinery meta/v1 (v1.36). Facts, told by reflection.
 */
export const POD_TYPES = `
Pod
  metadata:ObjectMeta spec:PodSpec status:status
ObjectMeta
  name generateName namespace selfLink uid resourceVersion generation:int64 creationTimestamp:creationTime
  deletionTimestamp:*time deletionGracePeriodSeconds:*int64 labels:{}string annotations:{}string
  ownerReferences:[]OwnerReference finalizers:[]string managedFields:json
OwnerReference
  apiVersion! kind! name! uid! controller:*bool blockOwnerDeletion:*bool
PodSpec
  volumes:[]Volume initContainers:[]Container containers:[]Container! ephemeralContainers:[]EphemeralContainer
  restartPolicy terminationGracePeriodSeconds:*int64 activeDeadlineSeconds:*int64 dnsPolicy nodeSelector:{}string
  serviceAccountName serviceAccount automountServiceAccountToken:*bool nodeName hostNetwork:bool hostPID:bool
  hostIPC:bool shareProcessNamespace:*bool securityContext:*PodSecurityContext
  imagePullSecrets:[]LocalObjectReference hostname subdomain affinity:*Affinity schedulerName
  tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName priority:*int32 dnsConfig:*PodDNSConfig
  readinessGates:[]PodReadinessGate runtimeClassName:*string enableServiceLinks:*bool preemptionPolicy:*string
  overhead:{}quantity topologySpreadConstraints:[]TopologySpreadConstraint setHostnameAsFQDN:*bool os:*PodOS
  hostUsers:*bool schedulingGates:[]PodSchedulingGate resourceClaims:[]PodResourceClaim
  resources:*ResourceRequirements hostnameOverride:*string schedulingGroup:*PodSchedulingGroup
ObjectFieldSelector
  apiVersion fieldPath!
ResourceFieldSelector
  containerName resource! divisor:quantity
LabelSelector
  matchLabels:{}string matchExpressions:[]LabelSelectorRequirement
LabelSelectorRequirement
  key! operator! values:[]string
LocalObjectReference
  name
Container
  name! image command:[]string args:[]string workingDir ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar
  resources:ResourceRequirements resizePolicy:[]ContainerResizePolicy restartPolicy:*string
  restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice
  livenessProbe:*Probe readinessProbe:*Probe startupProbe:*Probe lifecycle:*Lifecycle terminationMessagePath
  terminationMessagePolicy imagePullPolicy securityContext:*SecurityContext stdin:bool stdinOnce:bool tty:bool
ContainerPort
  name hostPort:int32 containerPort:int32! protocol hostIP
EnvFromSource
  prefix configMapRef:*ConfigMapEnvSource secretRef:*SecretEnvSource
ConfigMapEnvSource
  name optional:*bool
SecretEnvSource
  name optional:*bool
EnvVar
  name! value valueFrom:*EnvVarSource
EnvVarSource
  fieldRef:*ObjectFieldSelector resourceFieldRef:*ResourceFieldSelector configMapKeyRef:*ConfigMapKeySelector
  secretKeyRef:*SecretKeySelector fileKeyRef:*FileKeySelector
ConfigMapKeySelector
  name key! optional:*bool
SecretKeySelector
  name key! optional:*bool
FileKeySelector
  volumeName! path! key! optional:*bool
ResourceRequirements
  limits:{}quantity requests:{}quantity claims:[]ResourceClaim
ResourceClaim
  name! request
ContainerResizePolicy
  resourceName! restartPolicy!
ContainerRestartRule
  action exitCodes:*ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes
  operator values:[]int32
VolumeMount
  name! readOnly:bool recursiveReadOnly:*string mountPath! subPath mountPropagation:*string subPathExpr
VolumeDevice
  name! devicePath!
Probe
  exec:*ExecAction httpGet:*HTTPGetAction tcpSocket:*TCPSocketAction grpc:*GRPCAction initialDelaySeconds:int32
  timeoutSeconds:int32 periodSeconds:int32 successThreshold:int32 failureThreshold:int32
  terminationGracePeriodSeconds:*int64
ExecAction
  command:[]string
HTTPGetAction
  path port:intOrString! host scheme httpHeaders:[]HTTPHeader
HTTPHeader
  name! value!
TCPSocketAction
  port:intOrString! host
GRPCAction
  port:int32! service:*string!
Lifecycle
  postStart:*LifecycleHandler preStop:*LifecycleHandler stopSignal:*string
LifecycleHandler
  exec:*ExecAction httpGet:*HTTPGetAction tcpSocket:*TCPSocketAction sleep:*SleepAction
SleepAction
  seconds:int64!
SecurityContext
  capabilities:*Capabilities privileged:*bool seLinuxOptions:*SELinuxOptions
  windowsOptions:*WindowsSecurityContextOptions runAsUser:*int64 runAsGroup:*int64 runAsNonRoot:*bool
  readOnlyRootFilesystem:*bool allowPrivilegeEscalation:*bool procMount:*string seccompProfile:*SeccompProfile
  appArmorProfile:*AppArmorProfile
Capabilities
  add:[]string drop:[]string
SELinuxOptions
  user role type level
WindowsSecurityContextOptions
  gmsaCredentialSpecName:*string gmsaCredentialSpec:*string runAsUserName:*string hostProcess:*bool
SeccompProfile
  type! localhostProfile:*string
AppArmorProfile
  type! localhostProfile:*string
EphemeralContainer
  name! image command:[]string args:[]string workingDir ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar
  resources:ResourceRequirements resizePolicy:[]ContainerResizePolicy restartPolicy:*string
  restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount volumeDevices:[]VolumeDevice
  livenessProbe:*Probe readinessProbe:*Probe startupProbe:*Probe lifecycle:*Lifecycle terminationMessagePath
  terminationMessagePolicy imagePullPolicy securityContext:*SecurityContext stdin:bool stdinOnce:bool tty:bool
  targetContainerName
PodSecurityContext
  seLinuxOptions:*SELinuxOptions windowsOptions:*WindowsSecurityContextOptions runAsUser:*int64 runAsGroup:*int64
  runAsNonRoot:*bool supplementalGroups:[]int64 supplementalGroupsPolicy:*string fsGroup:*int64 sysctls:[]Sysctl
  fsGroupChangePolicy:*string seccompProfile:*SeccompProfile appArmorProfile:*AppArmorProfile
  seLinuxChangePolicy:*string
Sysctl
  name! value!
Affinity
  nodeAffinity:*NodeAffinity podAffinity:*PodAffinity podAntiAffinity:*PodAntiAffinity
NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution:*NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
NodeSelector
  nodeSelectorTerms:[]NodeSelectorTerm!
NodeSelectorTerm
  matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
NodeSelectorRequirement
  key! operator! values:[]string
PreferredSchedulingTerm
  weight:int32! preference:NodeSelectorTerm!
PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
PodAffinityTerm
  labelSelector:*LabelSelector namespaces:[]string topologyKey! namespaceSelector:*LabelSelector
  matchLabelKeys:[]string mismatchLabelKeys:[]string
WeightedPodAffinityTerm
  weight:int32! podAffinityTerm:PodAffinityTerm!
PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
Toleration
  key operator value effect tolerationSeconds:*int64
HostAlias
  ip! hostnames:[]string
PodDNSConfig
  nameservers:[]string searches:[]string options:[]PodDNSConfigOption
PodDNSConfigOption
  name value:*string
PodReadinessGate
  conditionType!
TopologySpreadConstraint
  maxSkew:int32! topologyKey! whenUnsatisfiable! labelSelector:*LabelSelector minDomains:*int32
  nodeAffinityPolicy:*string nodeTaintsPolicy:*string matchLabelKeys:[]string
PodOS
  name!
PodSchedulingGate
  name!
PodResourceClaim
  name! resourceClaimName:*string resourceClaimTemplateName:*string
PodSchedulingGroup
  podGroupName:*string
Deployment
  metadata:ObjectMeta spec:DeploymentSpec status:status
DeploymentSpec
  replicas:*int32 selector:*LabelSelector! template:PodTemplateSpec! strategy:DeploymentStrategy
  minReadySeconds:int32 revisionHistoryLimit:*int32 paused:bool progressDeadlineSeconds:*int32
PodTemplateSpec
  metadata:ObjectMeta spec:PodSpec
DeploymentStrategy
  type rollingUpdate:*RollingUpdateDeployment
RollingUpdateDeployment
  maxUnavailable:*intOrString maxSurge:*intOrString
`
