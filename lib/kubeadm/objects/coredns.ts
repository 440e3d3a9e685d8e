/** What the addon coredns puts into the cluster. Source: kubeadm phases/addons/dns/manifests.go of each release. */

import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, type Version, valueSince } from '../../base/version.ts'
import { dnsAddress } from '../component-configs/kubelet-config.ts'
import { imageOf } from '../images/image-list.ts'
import type { ApplyPatches } from '../kubelet/kubelet-files.ts'
import { configMap } from './config-map.ts'
import { corednsDeployment } from './coredns-deployment.ts'
import { corefile } from './corefile.ts'
import { clusterRole, clusterRoleBinding, type Rule, SYSTEM, serviceAccount } from './rbac.ts'

/** What CoreDNS calls itself on its Service. Source: manifests.go (v1.20, v1.21). */
const SERVICE_NAME: Since<string> = { '1.18': 'KubeDNS', '1.21': 'CoreDNS' }

interface RuleRow {
  readonly rule: Rule
  readonly releases?: Since<boolean>
}

const RULES: readonly RuleRow[] = [
  { rule: watching('', ['endpoints', 'services', 'pods', 'namespaces']) },
  { rule: { apiGroups: [''], resources: ['nodes'], verbs: ['get'] }, releases: { '1.18': true, '1.28': false } },
  { rule: watching('discovery.k8s.io', ['endpointslices']), releases: { '1.22': true } },
]

/**
 * ConfigMap, roles, account, Deployment and Service, in kubeadm's order; nothing when DNS is disabled.
 * Throws a KubestepError when the service subnet has no tenth address.
 */
export function corednsObjects(config: InitConfig, apply?: ApplyPatches): JsonObject[] {
  if (config.cluster.dns.disabled) return []
  const { kubeadm } = config
  return [
    configMap({ name: 'coredns', namespace: SYSTEM }, { Corefile: corefile(config) }),
    clusterRole('system:coredns', rules(kubeadm)),
    clusterRoleBinding('system:coredns', 'system:coredns', [serviceAccount('coredns', SYSTEM)]),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace: SYSTEM } },
    corednsDeployment(imageOf('coredns', config), kubeadm, apply),
    service(config),
  ]
}

function rules(kubeadm: Version): Rule[] {
  return RULES.filter(({ releases }) => releases === undefined || valueSince(releases, kubeadm)).map(({ rule }) => rule)
}

function watching(apiGroup: string, resources: readonly string[]): Rule {
  return { apiGroups: [apiGroup], resources, verbs: ['list', 'watch'] }
}

function service({ cluster, kubeadm }: InitConfig): JsonObject {
  const { serviceSubnet } = cluster.networking
  const clusterIP = dnsAddress(serviceSubnet)
  if (clusterIP === undefined) {
    throw new KubestepError(
      `addon: cannot choose an address for DNS in "${serviceSubnet}": it has no tenth address; take a larger service subnet`,
    )
  }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: SYSTEM,
      // An update of a Service is refused without one.
      resourceVersion: '0',
      annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': valueSince(SERVICE_NAME, kubeadm) ?? '',
      },
    },
    spec: {
      clusterIP,
      ports: [port('dns', 53, 'UDP'), port('dns-tcp', 53, 'TCP'), port('metrics', 9153, 'TCP')],
      selector: { 'k8s-app': 'kube-dns' },
    },
    status: { loadBalancer: {} },
  }
}

function port(name: string, number: number, protocol: 'TCP' | 'UDP'): JsonObject {
  return { name, port: number, protocol, targetPort: number }
}
