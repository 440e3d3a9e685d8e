/** The KubeletConfiguration of the cluster: the user's document with kubeadm's values in its open fields. */

import { posix } from 'node:path'
import { formatAddress, nthAddress, parseSubnet } from '../../base/address.ts'
import { ConfigError } from '../../base/errors.ts'
import { encodeStruct } from '../../base/go/struct.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { isSince, type Since, valueSince } from '../../base/version.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { KUBELET_CONFIGURATION } from './kubelet-schema.ts'
import { type Recommendation, recommend } from './recommendation.ts'

const KIND = 'KubeletConfiguration'
const API_VERSION = 'kubelet.config.k8s.io/v1beta1'

/** What systemd-resolved keeps its upstream servers in; its stub on 127.0.0.53 would make CoreDNS ask itself. */
export const SYSTEMD_RESOLV_CONF = '/run/systemd/resolve/resolv.conf'

/** Source: kubeadm constants.go, GetDNSIP falls back to it. */
const DEFAULT_DNS_ADDRESS = '10.96.0.10'

/** Source: kubeadm cmd/init.go, MutateCgroupDriver (v1.21); componentconfigs/kubelet.go, Default (v1.22). */
const CGROUP_DRIVER: Since<string> = { '1.21': 'systemd' }

/** Where the choice of resolv.conf stands; a flag in 1.18. Source: componentconfigs/kubelet.go (v1.19), k/k v1.31 Mutate(). */
const RESOLV_CONF_IN_CONFIG = '1.19'

/** Source: componentconfigs/kubelet.go (v1.19 to v1.22; gone in v1.23). */
const DUAL_STACK_GATE: Since<boolean> = { '1.19': true, '1.23': false }

export interface KubeletResult {
  readonly configuration: JsonObject
  readonly notices: readonly string[]
}

/** The values kubeadm sets, in the order it speaks of them. */
function recommendations(config: InitConfig, facts: Pick<HostFacts, 'systemdResolved'>): Recommendation[] {
  const { certificatesDir, networking } = config.cluster
  const resolvConf = facts.systemdResolved && isSince(config.kubeadm, RESOLV_CONF_IN_CONFIG)
  return [
    { field: 'staticPodPath', value: KUBERNETES.manifests },
    { field: 'clusterDNS', value: [dnsAddress(networking.serviceSubnet) ?? DEFAULT_DNS_ADDRESS] },
    { field: 'clusterDomain', value: networking.dnsDomain },
    { field: 'authentication.x509.clientCAFile', value: posix.join(certificatesDir, 'ca.crt') },
    { field: 'authentication.anonymous.enabled', value: false },
    { field: 'authorization.mode', value: 'Webhook' },
    { field: 'authentication.webhook.enabled', value: true },
    { field: 'healthzBindAddress', value: '127.0.0.1' },
    { field: 'healthzPort', value: 10248 },
    { field: 'readOnlyPort', value: 0 },
    ...(resolvConf
      ? [{ field: 'resolvConf', value: SYSTEMD_RESOLV_CONF, pointer: isSince(config.kubeadm, '1.23') }]
      : []),
  ]
}

/**
 * The complete document, and a notice for each field where the user chose otherwise than kubeadm recommends.
 * Throws a ConfigError that lists every field of the user's document which is unknown or of a wrong type.
 * Source: kubeadm componentconfigs/kubelet.go, Default and Mutate (v1.36).
 */
export function completeKubelet(config: InitConfig, facts: Pick<HostFacts, 'systemdResolved'>): KubeletResult {
  const { document, notices } = recommend(KIND, config.kubelet.document, recommendations(config, facts))
  const { value, faults } = encodeStruct(
    KUBELET_CONFIGURATION,
    withForced(document, config),
    config.kubeadm,
    config.version,
  )
  if (faults.length > 0) throw new ConfigError(faults.map(fault => ({ ...fault, kind: KIND })))
  return { configuration: { apiVersion: API_VERSION, kind: KIND, ...value }, notices }
}

/** The complete document alone. Throws like completeKubelet. */
export function kubeletConfiguration(config: InitConfig, facts: Pick<HostFacts, 'systemdResolved'>): JsonObject {
  return completeKubelet(config, facts).configuration
}

/** The tenth address of the (first) service subnet; undefined when there is none. Source: constants.go, GetDNSIP (v1.36). */
export function dnsAddress(serviceSubnet: string): string | undefined {
  const subnet = parseSubnet(serviceSubnet.split(',')[0] ?? '')
  const address = subnet === undefined ? undefined : nthAddress(subnet, 10)
  return address === undefined ? undefined : formatAddress(address)
}

// Values that are set without a word.
function withForced(document: JsonObject, { cluster, kubeadm }: InitConfig): JsonObject {
  const driver = valueSince(CGROUP_DRIVER, kubeadm)
  const dualStack = valueSince(DUAL_STACK_GATE, kubeadm) ? cluster.featureGates?.IPv6DualStack : undefined
  return {
    ...document,
    rotateCertificates: true,
    ...(driver !== undefined && !document.cgroupDriver && { cgroupDriver: driver }),
    ...(dualStack !== undefined && { featureGates: withGate(document.featureGates, dualStack) }),
  }
}

function withGate(gates: Json | undefined, IPv6DualStack: boolean): Json {
  return typeof gates === 'object' && gates !== null && !Array.isArray(gates)
    ? { ...(gates as JsonObject), IPv6DualStack }
    : (gates ?? { IPv6DualStack })
}
