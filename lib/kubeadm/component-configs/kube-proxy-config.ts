/** The KubeProxyConfiguration: the user's document with kubeadm's values in its open fields. */
import { parseAddress } from '../../base/address.ts'
import { ConfigError } from '../../base/errors.ts'
import { encodeStruct } from '../../base/go/struct.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { KUBE_PROXY_CONFIGURATION } from './kube-proxy-schema.ts'
import { type Recommendation, recommend } from './recommendation.ts'

const KIND = 'KubeProxyConfiguration'
const API_VERSION = 'kubeproxy.config.k8s.io/v1alpha1'

/** Until 1.22 a kubeadm gate was handed on. Source: componentconfigs/kubeproxy.go (v1.22, v1.23). */
const NO_DUAL_STACK_GATE = '1.23'

export interface KubeProxyResult {
  readonly configuration: JsonObject
  readonly notices: readonly string[]
}

/**
 * The complete document, and a notice for each field where the user chose otherwise than kubeadm recommends.
 * Throws a ConfigError that lists every field of the user's document which is unknown or of a wrong type.
 * Source: kubeadm componentconfigs/kubeproxy.go, Default (v1.36).
 */
export function completeKubeProxy(config: InitConfig): KubeProxyResult {
  const { document, notices } = recommend(KIND, config.kubeProxy.document, recommendations(config))
  const { value, faults } = encodeStruct(
    KUBE_PROXY_CONFIGURATION,
    withDualStackGate(document, config),
    config.kubeadm,
    config.version,
  )
  if (faults.length > 0) throw new ConfigError(faults.map(fault => ({ ...fault, kind: KIND })))
  return { configuration: { apiVersion: API_VERSION, kind: KIND, ...value }, notices }
}

/** The complete document alone. Throws like completeKubeProxy. */
export function kubeProxyConfiguration(config: InitConfig): JsonObject {
  return completeKubeProxy(config).configuration
}

function recommendations({ cluster, init }: InitConfig): Recommendation[] {
  const { podSubnet } = cluster.networking
  const isIpv4 = parseAddress(init.localAPIEndpoint.advertiseAddress)?.family === 4
  return [
    { field: 'bindAddress', value: isIpv4 ? '0.0.0.0' : '::' },
    ...(podSubnet ? [{ field: 'clusterCIDR', value: podSubnet }] : []),
    { field: 'clientConnection.kubeconfig', value: '/var/lib/kube-proxy/kubeconfig.conf' },
  ]
}

function withDualStackGate(document: JsonObject, { cluster, kubeadm }: InitConfig): JsonObject {
  const gate = cluster.featureGates?.IPv6DualStack
  if (gate === undefined || isSince(kubeadm, NO_DUAL_STACK_GATE)) return document
  const gates = document.featureGates ?? {}
  return isObject(gates) ? { ...document, featureGates: { ...gates, IPv6DualStack: gate } } : document
}
