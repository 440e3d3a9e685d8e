/** The Deployment of CoreDNS. Source: kubeadm phases/addons/dns/manifests.go of each release. */
import type { Json, JsonObject } from '../../base/json.ts'
import { isSince, type Since, type Version, valueSince } from '../../base/version.ts'
import type { ApplyPatches } from '../kubelet/kubelet-files.ts'
import { SYSTEM } from './rbac.ts'

const LABELS: JsonObject = { 'k8s-app': 'kube-dns' }

/** Ports that probes ask, by number until they got names. */
const PROBE_PORTS: Since<{
  readonly live: Json
  readonly ready: Json
  readonly named: readonly JsonObject[]
}> = {
  '1.18': { live: 8080, ready: 8181, named: [] },
  '1.34': {
    live: 'liveness-probe',
    ready: 'readiness-probe',
    named: [containerPort('liveness-probe', 8080, 'TCP'), containerPort('readiness-probe', 8181, 'TCP')],
  },
}

/** Replicas keep away from each other. */
const ANTI_AFFINITY_SINCE = '1.25'

const DROPPED_CAPABILITIES: Since<string> = { '1.18': 'all', '1.29': 'ALL' }

/** Taints of control plane nodes that CoreDNS puts up with. */
const TOLERATED: Since<readonly string[]> = {
  '1.18': ['node-role.kubernetes.io/master'],
  '1.20': ['node-role.kubernetes.io/master', 'node-role.kubernetes.io/control-plane'],
  '1.26': ['node-role.kubernetes.io/control-plane'],
}

/** The Deployment with what the profile, and since 1.31 the user's patches, make of the target corednsdeployment. */
export function corednsDeployment(image: string, kubeadm: Version, apply?: ApplyPatches): JsonObject {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: SYSTEM, labels: LABELS },
    spec: {
      replicas: 2,
      selector: { matchLabels: LABELS },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: { metadata: { labels: LABELS }, spec: podSpec(image, kubeadm) },
    },
  }
  return { ...(apply?.('corednsdeployment', deployment) ?? deployment), status: {} }
}

function podSpec(image: string, kubeadm: Version): JsonObject {
  return {
    ...(isSince(kubeadm, ANTI_AFFINITY_SINCE) && { affinity: antiAffinity() }),
    containers: [container(image, kubeadm)],
    dnsPolicy: 'Default',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    priorityClassName: 'system-cluster-critical',
    serviceAccountName: 'coredns',
    tolerations: [
      { key: 'CriticalAddonsOnly', operator: 'Exists' },
      ...(valueSince(TOLERATED, kubeadm) ?? []).map(key => ({ effect: 'NoSchedule', key })),
    ],
    volumes: [
      { name: 'config-volume', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } },
    ],
  }
}

function container(image: string, kubeadm: Version): JsonObject {
  const probe = valueSince(PROBE_PORTS, kubeadm)
  return {
    name: 'coredns',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['-conf', '/etc/coredns/Corefile'],
    ports: [
      containerPort('dns', 53, 'UDP'),
      containerPort('dns-tcp', 53, 'TCP'),
      containerPort('metrics', 9153, 'TCP'),
      ...(probe?.named ?? []),
    ],
    livenessProbe: {
      failureThreshold: 5,
      httpGet: { path: '/health', port: probe?.live, scheme: 'HTTP' },
      initialDelaySeconds: 60,
      successThreshold: 1,
      timeoutSeconds: 5,
    },
    readinessProbe: { httpGet: { path: '/ready', port: probe?.ready, scheme: 'HTTP' } },
    resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: [valueSince(DROPPED_CAPABILITIES, kubeadm) ?? ''] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
  }
}

function antiAffinity(): JsonObject {
  const labelSelector = { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] }
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { labelSelector, topologyKey: 'kubernetes.io/hostname' } },
      ],
    },
  }
}

function containerPort(name: string, number: number, protocol: 'TCP' | 'UDP'): JsonObject {
  return { name, containerPort: number, protocol }
}
