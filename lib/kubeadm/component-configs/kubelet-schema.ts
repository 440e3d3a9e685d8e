/**
 * KubeletConfiguration (kubelet.config.k8s.io/v1beta1): every field; the form is that of base/go/struct-table.ts.
 * Source: kubelet/config/v1beta1/types.go and component-base/logs/api/v1/types.go of each release from 1.18 to 1.36.
 */
import type { Struct } from '../../base/go/struct.ts'
import { structTable } from '../../base/go/struct-table.ts'

/** The logging section; kube-proxy has it too. Releases are those of the kubelet, which had it first. */
export const LOGGING_TYPES = `
Logging
  format flushFrequency:int64!@1.23-1.28 flushFrequency:flush!@1.28 verbosity:uint32!@1.23 vmodule:[]VModule@1.23
  options:FormatOptions@1.23 sanitization:bool@1.20-1.24
VModule
  filePattern! verbosity:uint32!
FormatOptions
  text:OutputRouting@1.30 json:OutputRouting
OutputRouting
  splitStream:bool infoBufferSize:quantity
`

export const KUBELET_CONFIGURATION: Struct = structTable(`${LOGGING_TYPES}
KubeletConfiguration
  enableServer:*bool@1.19 staticPodPath podLogsDir@1.30 syncFrequency:duration fileCheckFrequency:duration
  httpCheckFrequency:duration staticPodURL staticPodURLHeader:{}[]string address port:int32 readOnlyPort:int32
  tlsCertFile tlsPrivateKeyFile tlsCipherSuites:[]string tlsCurvePreferences:[]int32@1.36 tlsMinVersion
  rotateCertificates:bool serverTLSBootstrap:bool authentication:Authentication authorization:Authorization
  healthzPort:*int32 healthzBindAddress enableDebuggingHandlers:*bool enableContentionProfiling:bool
  enableProfilingHandler:*bool@1.21 enableDebugFlagsHandler:*bool@1.21 enableSystemLogHandler:*bool@1.19
  enableSystemLogQuery:*bool@1.27 oomScoreAdj:*int32 clusterDomain clusterDNS:[]string
  streamingConnectionIdleTimeout:duration nodeStatusUpdateFrequency:duration nodeStatusReportFrequency:duration
  nodeLeaseDurationSeconds:int32 nodeStatusMaxImages:*int32@1.19 volumeStatsAggPeriod:duration hairpinMode
  maxPods:int32 podCIDR podPidsLimit:*int64 podsPerCore:int32 resolvConf@1.18-1.23 resolvConf:*string@1.23
  runOnce:bool@1.19 maxOpenFiles:int64 contentType kubeAPIQPS:*int32 kubeAPIBurst:int32 eventRecordQPS:*int32
  eventBurst:int32 enableControllerAttachDetach:*bool protectKernelDefaults:bool makeIPTablesUtilChains:*bool
  iptablesMasqueradeBit:*int32 iptablesDropBit:*int32 featureGates:{}bool showHiddenMetricsForVersion
  allowedUnsafeSysctls:[]string volumePluginDir@1.19 providerID@1.19 registerWithTaints:[]Taint@1.23
  registerNode:*bool@1.23 localStorageCapacityIsolation:*bool@1.25 logging:Logging@1.19 tracing:*Tracing@1.25
  shutdownGracePeriod:duration@1.20 shutdownGracePeriodCriticalPods:duration@1.20
  shutdownGracePeriodByPodPriority:[]ShutdownGracePeriod@1.23 containerRuntimeEndpoint!@1.27 imageServiceEndpoint@1.27
  runtimeRequestTimeout:duration cgroupDriver cgroupRoot cgroupsPerQOS:*bool kubeletCgroups systemCgroups
  failCgroupV1:*bool@1.31 seccompDefault:*bool@1.22 userNamespaces:*UserNamespaces@1.33
  crashLoopBackOff:CrashLoopBackOff@1.32 registryPullQPS:*int32 registryBurst:int32 serializeImagePulls:*bool
  maxParallelImagePulls:*int32@1.27 imagePullCredentialsVerificationPolicy@1.33
  preloadedImagesVerificationAllowlist:[]string@1.33 imageMinimumGCAge:duration imageMaximumGCAge:duration@1.29
  imageGCHighThresholdPercent:*int32 imageGCLowThresholdPercent:*int32 containerLogMaxSize containerLogMaxFiles:*int32
  containerLogMaxWorkers:*int32@1.30 containerLogMonitorInterval:*duration@1.30
  configMapAndSecretChangeDetectionStrategy cpuManagerPolicy cpuManagerPolicyOptions:{}string@1.22
  cpuManagerReconcilePeriod:duration cpuCFSQuota:*bool cpuCFSQuotaPeriod:*duration memoryManagerPolicy@1.21
  memorySwap:MemorySwap@1.22 memoryThrottlingFactor:*float64@1.22 memoryReservationPolicy@1.36
  singleProcessOOMKill:*bool@1.32 failSwapOn:*bool kernelMemcgNotification:bool@1.19 topologyManagerPolicy
  topologyManagerScope@1.20 topologyManagerPolicyOptions:{}string@1.26 qosReserved:{}string evictionHard:{}string
  evictionSoft:{}string evictionSoftGracePeriod:{}string evictionPressureTransitionPeriod:duration
  evictionMaxPodGracePeriod:int32 evictionMinimumReclaim:{}string mergeDefaultEvictionSettings:*bool@1.33
  systemReserved:{}string systemReservedCgroup kubeReserved:{}string kubeReservedCgroup reservedSystemCPUs
  enforceNodeAllocatable:[]string reservedMemory:[]MemoryReservation@1.21
Authentication
  x509:X509 webhook:Webhook anonymous:Anonymous
Authorization
  mode webhook:AuthorizationWebhook
Taint
  key! value effect! timeAdded:*time
Tracing
  endpoint:*string samplingRatePerMillion:*int32
ShutdownGracePeriod
  priority:int32! shutdownGracePeriodSeconds:int64!
UserNamespaces
  idsPerPod:*int64
CrashLoopBackOff
  maxContainerRestartPeriod:*duration
MemorySwap
  swapBehavior
MemoryReservation
  numaNode:int32! limits:{}quantity!
X509
  clientCAFile
Webhook
  enabled:*bool cacheTTL:duration
Anonymous
  enabled:*bool
AuthorizationWebhook
  cacheAuthorizedTTL:duration cacheUnauthorizedTTL:duration
`)('KubeletConfiguration')
