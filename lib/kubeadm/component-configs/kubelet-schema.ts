/**
 * KubeletConfiguration (kubelet.config.k8s.io/v1beta1) as a table: every field, its Go type, the release that brought
 * it where that is later than 1.18, and the release without it again.
 * Source: kubelet/config/v1beta1/types.go and component-base/logs/api/v1/types.go of each release from 1.18 to 1.36.
 */
import type { Field, Struct } from '../../base/go/struct.ts'

const OUTPUT_ROUTING: Struct = [
  ['splitStream', 'bool'],
  ['infoBufferSize', 'quantity'],
]

const VERBOSITY_OF_FILES: Struct = [
  ['filePattern', 'string!'],
  ['verbosity', 'uint32!'],
]

/** The logging section; kube-proxy has it too. Releases are those of the kubelet, which had it first. */
export const LOGGING: Struct = [
  ['format', 'string'],
  ['flushFrequency', 'int64!', '1.23', '1.28'],
  ['flushFrequency', 'flush!', '1.28'],
  ['verbosity', 'uint32!', '1.23'],
  ['vmodule', { list: VERBOSITY_OF_FILES }, '1.23'],
  [
    'options',
    [
      ['text', OUTPUT_ROUTING, '1.30'],
      ['json', OUTPUT_ROUTING],
    ],
    '1.23',
  ],
  ['sanitization', 'bool', '1.20', '1.24'],
]

const TAINT: Struct = [
  ['key', 'string!'],
  ['value', 'string'],
  ['effect', 'string!'],
  ['timeAdded', '*time'],
]

const SERVER: readonly Field[] = [
  ['enableServer', '*bool', '1.19'],
  ['staticPodPath', 'string'],
  ['podLogsDir', 'string', '1.30'],
  ['syncFrequency', 'duration'],
  ['fileCheckFrequency', 'duration'],
  ['httpCheckFrequency', 'duration'],
  ['staticPodURL', 'string'],
  ['staticPodURLHeader', '{}[]string'],
  ['address', 'string'],
  ['port', 'int32'],
  ['readOnlyPort', 'int32'],
  ['tlsCertFile', 'string'],
  ['tlsPrivateKeyFile', 'string'],
  ['tlsCipherSuites', '[]string'],
  ['tlsCurvePreferences', '[]int32', '1.36'],
  ['tlsMinVersion', 'string'],
  ['rotateCertificates', 'bool'],
  ['serverTLSBootstrap', 'bool'],
  [
    'authentication',
    [
      ['x509', [['clientCAFile', 'string']]],
      [
        'webhook',
        [
          ['enabled', '*bool'],
          ['cacheTTL', 'duration'],
        ],
      ],
      ['anonymous', [['enabled', '*bool']]],
    ],
  ],
  [
    'authorization',
    [
      ['mode', 'string'],
      [
        'webhook',
        [
          ['cacheAuthorizedTTL', 'duration'],
          ['cacheUnauthorizedTTL', 'duration'],
        ],
      ],
    ],
  ],
  ['healthzPort', '*int32'],
  ['healthzBindAddress', 'string'],
  ['enableDebuggingHandlers', '*bool'],
  ['enableContentionProfiling', 'bool'],
  ['enableProfilingHandler', '*bool', '1.21'],
  ['enableDebugFlagsHandler', '*bool', '1.21'],
  ['enableSystemLogHandler', '*bool', '1.19'],
  ['enableSystemLogQuery', '*bool', '1.27'],
]

const NODE: readonly Field[] = [
  ['oomScoreAdj', '*int32'],
  ['clusterDomain', 'string'],
  ['clusterDNS', '[]string'],
  ['streamingConnectionIdleTimeout', 'duration'],
  ['nodeStatusUpdateFrequency', 'duration'],
  ['nodeStatusReportFrequency', 'duration'],
  ['nodeLeaseDurationSeconds', 'int32'],
  ['nodeStatusMaxImages', '*int32', '1.19'],
  ['volumeStatsAggPeriod', 'duration'],
  ['hairpinMode', 'string'],
  ['maxPods', 'int32'],
  ['podCIDR', 'string'],
  ['podPidsLimit', '*int64'],
  ['podsPerCore', 'int32'],
  ['resolvConf', 'string', '1.18', '1.23'],
  ['resolvConf', '*string', '1.23'],
  ['runOnce', 'bool', '1.19'],
  ['maxOpenFiles', 'int64'],
  ['contentType', 'string'],
  ['kubeAPIQPS', '*int32'],
  ['kubeAPIBurst', 'int32'],
  ['eventRecordQPS', '*int32'],
  ['eventBurst', 'int32'],
  ['enableControllerAttachDetach', '*bool'],
  ['protectKernelDefaults', 'bool'],
  ['makeIPTablesUtilChains', '*bool'],
  ['iptablesMasqueradeBit', '*int32'],
  ['iptablesDropBit', '*int32'],
  ['featureGates', '{}bool'],
  ['showHiddenMetricsForVersion', 'string'],
  ['allowedUnsafeSysctls', '[]string'],
  ['volumePluginDir', 'string', '1.19'],
  ['providerID', 'string', '1.19'],
  ['registerWithTaints', { list: TAINT }, '1.23'],
  ['registerNode', '*bool', '1.23'],
  ['localStorageCapacityIsolation', '*bool', '1.25'],
  ['logging', LOGGING, '1.19'],
  [
    'tracing',
    {
      pointer: [
        ['endpoint', '*string'],
        ['samplingRatePerMillion', '*int32'],
      ],
    },
    '1.25',
  ],
  ['shutdownGracePeriod', 'duration', '1.20'],
  ['shutdownGracePeriodCriticalPods', 'duration', '1.20'],
  [
    'shutdownGracePeriodByPodPriority',
    {
      list: [
        ['priority', 'int32!'],
        ['shutdownGracePeriodSeconds', 'int64!'],
      ],
    },
    '1.23',
  ],
]

const RUNTIME: readonly Field[] = [
  ['containerRuntimeEndpoint', 'string!', '1.27'],
  ['imageServiceEndpoint', 'string', '1.27'],
  ['runtimeRequestTimeout', 'duration'],
  ['cgroupDriver', 'string'],
  ['cgroupRoot', 'string'],
  ['cgroupsPerQOS', '*bool'],
  ['kubeletCgroups', 'string'],
  ['systemCgroups', 'string'],
  ['failCgroupV1', '*bool', '1.31'],
  ['seccompDefault', '*bool', '1.22'],
  ['userNamespaces', { pointer: [['idsPerPod', '*int64']] }, '1.33'],
  ['crashLoopBackOff', [['maxContainerRestartPeriod', '*duration']], '1.32'],
  ['registryPullQPS', '*int32'],
  ['registryBurst', 'int32'],
  ['serializeImagePulls', '*bool'],
  ['maxParallelImagePulls', '*int32', '1.27'],
  ['imagePullCredentialsVerificationPolicy', 'string', '1.33'],
  ['preloadedImagesVerificationAllowlist', '[]string', '1.33'],
  ['imageMinimumGCAge', 'duration'],
  ['imageMaximumGCAge', 'duration', '1.29'],
  ['imageGCHighThresholdPercent', '*int32'],
  ['imageGCLowThresholdPercent', '*int32'],
  ['containerLogMaxSize', 'string'],
  ['containerLogMaxFiles', '*int32'],
  ['containerLogMaxWorkers', '*int32', '1.30'],
  ['containerLogMonitorInterval', '*duration', '1.30'],
  ['configMapAndSecretChangeDetectionStrategy', 'string'],
]

const RESOURCES: readonly Field[] = [
  ['cpuManagerPolicy', 'string'],
  ['cpuManagerPolicyOptions', '{}string', '1.22'],
  ['cpuManagerReconcilePeriod', 'duration'],
  ['cpuCFSQuota', '*bool'],
  ['cpuCFSQuotaPeriod', '*duration'],
  ['memoryManagerPolicy', 'string', '1.21'],
  ['memorySwap', [['swapBehavior', 'string']], '1.22'],
  ['memoryThrottlingFactor', '*float64', '1.22'],
  ['memoryReservationPolicy', 'string', '1.36'],
  ['singleProcessOOMKill', '*bool', '1.32'],
  ['failSwapOn', '*bool'],
  ['kernelMemcgNotification', 'bool', '1.19'],
  ['topologyManagerPolicy', 'string'],
  ['topologyManagerScope', 'string', '1.20'],
  ['topologyManagerPolicyOptions', '{}string', '1.26'],
  ['qosReserved', '{}string'],
  ['evictionHard', '{}string'],
  ['evictionSoft', '{}string'],
  ['evictionSoftGracePeriod', '{}string'],
  ['evictionPressureTransitionPeriod', 'duration'],
  ['evictionMaxPodGracePeriod', 'int32'],
  ['evictionMinimumReclaim', '{}string'],
  ['mergeDefaultEvictionSettings', '*bool', '1.33'],
  ['systemReserved', '{}string'],
  ['systemReservedCgroup', 'string'],
  ['kubeReserved', '{}string'],
  ['kubeReservedCgroup', 'string'],
  ['reservedSystemCPUs', 'string'],
  ['enforceNodeAllocatable', '[]string'],
  [
    'reservedMemory',
    {
      list: [
        ['numaNode', 'int32!'],
        ['limits', '{}quantity!'],
      ],
    },
    '1.21',
  ],
]

/** All of it. */
export const KUBELET_CONFIGURATION: Struct = [...SERVER, ...NODE, ...RUNTIME, ...RESOURCES]
