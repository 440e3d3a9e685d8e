/**
 * KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) as a table. Nearly every field is written even when it is
 * empty. Source: kube-proxy/config/v1alpha1/types.go of each release from 1.18 to 1.36.
 */

import type { Struct } from '../../base/go/struct.ts'
import { LOGGING } from './kubelet-schema.ts'

const CLIENT_CONNECTION: Struct = [
  ['kubeconfig', 'string!'],
  ['acceptContentTypes', 'string!'],
  ['contentType', 'string!'],
  ['qps', 'float32!'],
  ['burst', 'int32!'],
]

const IPTABLES: Struct = [
  ['masqueradeBit', '*int32!'],
  ['masqueradeAll', 'bool!'],
  ['localhostNodePorts', '*bool!', '1.26'],
  ['syncPeriod', 'duration'],
  ['minSyncPeriod', 'duration'],
]

const IPVS: Struct = [
  ['syncPeriod', 'duration'],
  ['minSyncPeriod', 'duration'],
  ['scheduler', 'string!'],
  ['excludeCIDRs', '[]string!'],
  ['strictARP', 'bool!'],
  ['tcpTimeout', 'duration'],
  ['tcpFinTimeout', 'duration'],
  ['udpTimeout', 'duration'],
]

const NFTABLES: Struct = [
  ['masqueradeBit', '*int32!'],
  ['masqueradeAll', 'bool!'],
  ['syncPeriod', 'duration'],
  ['minSyncPeriod', 'duration'],
]

const CONNTRACK: Struct = [
  ['maxPerCore', '*int32!'],
  ['min', '*int32!'],
  ['tcpEstablishedTimeout', '*duration!'],
  ['tcpCloseWaitTimeout', '*duration!'],
  ['tcpBeLiberal', 'bool!', '1.29'],
  ['udpTimeout', 'duration', '1.29'],
  ['udpStreamTimeout', 'duration', '1.29'],
]

const WINKERNEL: Struct = [
  ['networkName', 'string!'],
  ['sourceVip', 'string!'],
  ['enableDSR', 'bool!'],
  ['rootHnsEndpointName', 'string!', '1.24'],
  ['forwardHealthCheckVip', 'bool!', '1.24'],
]

const DETECT_LOCAL: Struct = [
  ['bridgeInterface', 'string!'],
  ['interfaceNamePrefix', 'string!'],
]

export const KUBE_PROXY_CONFIGURATION: Struct = [
  ['featureGates', '{}bool'],
  ['clientConnection', CLIENT_CONNECTION],
  ['logging', LOGGING, '1.28'],
  ['hostnameOverride', 'string!'],
  ['bindAddress', 'string!'],
  ['healthzBindAddress', 'string!'],
  ['metricsBindAddress', 'string!'],
  ['bindAddressHardFail', 'bool!', '1.19'],
  ['enableProfiling', 'bool!'],
  ['showHiddenMetricsForVersion', 'string!'],
  ['mode', 'string!'],
  ['iptables', IPTABLES],
  ['ipvs', IPVS],
  ['nftables', NFTABLES, '1.29'],
  ['winkernel', WINKERNEL],
  ['detectLocalMode', 'string!'],
  ['detectLocal', DETECT_LOCAL, '1.24'],
  ['clusterCIDR', 'string!'],
  ['nodePortAddresses', '[]string!'],
  ['oomScoreAdj', '*int32!'],
  ['conntrack', CONNTRACK],
  ['configSyncPeriod', 'duration'],
  ['portRange', 'string!'],
  ['windowsRunAsService', 'bool', '1.31'],
  ['udpIdleTimeout', 'duration', '1.18', '1.26'],
]
