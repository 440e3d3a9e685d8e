/** What the addon kube-proxy puts into the cluster. Source: kubeadm phases/addons/proxy of each release. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { kubeProxyConfiguration } from '../component-configs/kube-proxy-config.ts'
import { controlPlaneUrl } from '../config/control-plane-url.ts'
import { imageOf } from '../images/image-list.ts'
import { componentConfigMap } from './config-map.ts'
import { BOOTSTRAP_GROUP, boundRole, clusterRoleBinding, group, reading, SYSTEM, serviceAccount } from './rbac.ts'

const NAME = 'kube-proxy'
const LABELS: JsonObject = { 'k8s-app': NAME }

/** Where the account comes in the order of application. Source: proxy.go (v1.24, v1.25). */
const ACCOUNT_FIRST: Since<boolean> = { '1.18': true, '1.25': false }

/** A toleration of everything made the first one superfluous. Source: manifests.go (v1.21, v1.22). */
const TOLERATIONS: Since<readonly JsonObject[]> = {
  '1.18': [{ key: 'CriticalAddonsOnly', operator: 'Exists' }, { operator: 'Exists' }],
  '1.22': [{ operator: 'Exists' }],
}

/** ConfigMap, DaemonSet, account and roles, in kubeadm's order; nothing when kube-proxy is disabled. */
export function kubeProxyObjects(config: InitConfig, facts: Pick<HostFacts, 'proxyEnvironment'>): JsonObject[] {
  if (config.cluster.proxy.disabled) return []
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: SYSTEM } }
  const workload = [
    componentConfigMap(
      { name: NAME, namespace: SYSTEM, labels: { app: NAME } },
      {
        'config.conf': stringify(kubeProxyConfiguration(config)).trimEnd(),
        'kubeconfig.conf': kubeconfig(controlPlaneUrl(config)),
      },
      config.kubeProxy.userSupplied,
      config.kubeadm,
    ),
    daemonSet(config, facts),
  ]
  return [
    ...(valueSince(ACCOUNT_FIRST, config.kubeadm) ? [account, ...workload] : [...workload, account]),
    clusterRoleBinding('kubeadm:node-proxier', 'system:node-proxier', [serviceAccount(NAME, SYSTEM)]),
    ...boundRole(SYSTEM, NAME, reading('configmaps', NAME), [group(BOOTSTRAP_GROUP)]),
  ]
}

/** The kubeconfig inside the Pod: CA and token come from its service account. */
function kubeconfig(server: string): string {
  const account = '/var/run/secrets/kubernetes.io/serviceaccount'
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: ${account}/ca.crt
    server: ${server}
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: ${account}/token`
}

function daemonSet(config: InitConfig, { proxyEnvironment }: Pick<HostFacts, 'proxyEnvironment'>): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: NAME, namespace: SYSTEM, labels: LABELS },
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          containers: [
            {
              name: NAME,
              image: imageOf('kube-proxy', config),
              imagePullPolicy: 'IfNotPresent',
              command: [
                '/usr/local/bin/kube-proxy',
                '--config=/var/lib/kube-proxy/config.conf',
                '--hostname-override=$(NODE_NAME)',
              ],
              env: [
                { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                ...proxyEnvironment.map(variable => ({ ...variable })),
              ],
              resources: {},
              securityContext: { privileged: true },
              volumeMounts: [
                { name: NAME, mountPath: '/var/lib/kube-proxy' },
                { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
                { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
              ],
            },
          ],
          hostNetwork: true,
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          priorityClassName: 'system-node-critical',
          serviceAccountName: NAME,
          tolerations: valueSince(TOLERATIONS, config.kubeadm) ?? [],
          volumes: [
            { name: NAME, configMap: { name: NAME } },
            { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
            { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
          ],
        },
      },
      updateStrategy: { type: 'RollingUpdate' },
    },
    status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  }
}
