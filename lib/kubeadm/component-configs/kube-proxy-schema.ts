/**
 * KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1); the form is that of base/go/struct-table.ts. Nearly every
 * field is written even when it is empty. Source: kube-proxy/config/v1alpha1/types.go of each release from 1.18 to 1.36.
 */
import type { Struct } from '../../base/go/struct.ts'
import { structTable } from '../../base/go/struct-table.ts'
import { LOGGING_TYPES } from './kubelet-schema.ts'

export const KUBE_PROXY_CONFIGURATION: Struct = structTable(`${LOGGING_TYPES}
KubeProxyConfiguration
  featureGates:{}bool clientConnection:ClientConnection logging:Logging@1.28 hostnameOverride! bindAddress!
  healthzBindAddress! metricsBindAddress! bindAddressHardFail:bool!@1.19 enableProfiling:bool!
  showHiddenMetricsForVersion! mode! iptables:IPTables ipvs:IPVS nftables:NFTables@1.29 winkernel:Winkernel
  detectLocalMode! detectLocal:DetectLocal@1.24 clusterCIDR! nodePortAddresses:[]string! oomScoreAdj:*int32!
  conntrack:Conntrack configSyncPeriod:duration portRange! windowsRunAsService:bool@1.31
  udpIdleTimeout:duration@1.18-1.26
ClientConnection
  kubeconfig! acceptContentTypes! contentType! qps:float32! burst:int32!
IPTables
  masqueradeBit:*int32! masqueradeAll:bool! localhostNodePorts:*bool!@1.26 syncPeriod:duration minSyncPeriod:duration
IPVS
  syncPeriod:duration minSyncPeriod:duration scheduler! excludeCIDRs:[]string! strictARP:bool! tcpTimeout:duration
  tcpFinTimeout:duration udpTimeout:duration
NFTables
  masqueradeBit:*int32! masqueradeAll:bool! syncPeriod:duration minSyncPeriod:duration
Winkernel
  networkName! sourceVip! enableDSR:bool! rootHnsEndpointName!@1.24 forwardHealthCheckVip:bool!@1.24
DetectLocal
  bridgeInterface! interfaceNamePrefix!
Conntrack
  maxPerCore:*int32! min:*int32! tcpEstablishedTimeout:*duration! tcpCloseWaitTimeout:*duration!
  tcpBeLiberal:bool!@1.29 udpTimeout:duration@1.29 udpStreamTimeout:duration@1.29
`)('KubeProxyConfiguration')
