/** Liveness, readiness and startup probes: paths and timing per release, hosts and ports per configuration. */

import { parseDuration } from '../../base/duration.ts'
import { parseGoUrl } from '../../base/go/url.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import { argumentValue } from './command-line.ts'
import { loopback, probeHost } from './etcd-endpoints.ts'
import { type ComponentName, HEALTH_PORTS, PORT_NAME } from './static-pods.ts'

export type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe'

/** Paths of the probes a component has. */
export type ProbePaths = Readonly<Partial<Record<ProbeName, string>>>

const LIVEZ_READYZ: ProbePaths = { livenessProbe: '/livez', readinessProbe: '/readyz', startupProbe: '/livez' }
const HEALTHZ_ONCE: ProbePaths = { livenessProbe: '/healthz' }
const HEALTHZ: ProbePaths = { livenessProbe: '/healthz', startupProbe: '/healthz' }

/** Source: kubeadm phases/controlplane/manifests.go and phases/etcd/local.go (1.18.9, 1.19.3 and later). */
export const PROBE_PATHS: Readonly<Record<ComponentName, Since<ProbePaths>>> = {
  'kube-apiserver': { '1.18': HEALTHZ_ONCE, '1.19': LIVEZ_READYZ },
  'kube-controller-manager': { '1.18': HEALTHZ_ONCE, '1.19': HEALTHZ },
  // 1.32: as in test/golden, 1.31.14 and 1.32.13.
  'kube-scheduler': { '1.18': HEALTHZ_ONCE, '1.19': HEALTHZ, '1.32': LIVEZ_READYZ },
  etcd: {
    '1.18': { livenessProbe: '/health' },
    '1.19': { livenessProbe: '/health', startupProbe: '/health' },
    // CHANGELOG 1.25.0 (k/k PRs 110072, 110744).
    '1.25': { livenessProbe: '/health?exclude=NOSPACE&serializable=true', startupProbe: '/health?serializable=false' },
    // CHANGELOG 1.31.0 (k/k PR 124465).
    '1.31': { livenessProbe: '/livez', readinessProbe: '/readyz', startupProbe: '/readyz' },
  },
}

interface Timing {
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds: number
  /** Absent: reckoned from the timeout for the control plane. */
  readonly failureThreshold?: number
}

/** Source: kubeadm util/staticpod/utils.go (1.18.9, 1.19.3 to 1.36.2). */
export const PROBE_TIMING: Readonly<Record<ProbeName, Since<Timing>>> = {
  livenessProbe: {
    '1.18': { initialDelaySeconds: 15, timeoutSeconds: 15, failureThreshold: 8 },
    '1.19': { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 15, failureThreshold: 8 },
  },
  readinessProbe: { '1.18': { periodSeconds: 1, timeoutSeconds: 15, failureThreshold: 3 } },
  startupProbe: { '1.18': { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 15 } },
}

/** Where a component answers its probes. */
export interface ProbeEndpoint {
  /** Absent: the kubelet takes the Pod's address. */
  readonly host?: string
  readonly port: number
  readonly scheme: 'HTTP' | 'HTTPS'
}

/** The probes of a component, and `ports` where the release names the probed port. */
export function probes(component: ComponentName, config: InitConfig): JsonObject {
  const endpoint = probeEndpoint(component, config)
  const paths = valueSince(PROBE_PATHS[component], config.kubeadm) ?? {}
  const portName = valueSince(PORT_NAME, config.kubeadm)
  const port = portName ?? endpoint.port
  const made = Object.entries(paths).map(([name, path]) => [
    name,
    {
      httpGet: { host: endpoint.host, path, port, scheme: endpoint.scheme },
      ...timing(name as ProbeName, config),
    },
  ])
  const ports = [{ containerPort: endpoint.port, name: portName, protocol: 'TCP' }]
  return { ...Object.fromEntries(made), ...(portName !== undefined && { ports }) }
}

/** Where `component` answers. Source: kubeadm util/staticpod/utils.go (v1.36). */
export function probeEndpoint(component: ComponentName, config: InitConfig): ProbeEndpoint {
  switch (component) {
    case 'etcd':
      return etcdEndpoint(config)
    case 'kube-apiserver': {
      const { advertiseAddress, bindPort } = config.init.localAPIEndpoint
      return endpoint(advertiseAddress, bindPort)
    }
    case 'kube-controller-manager':
      return endpoint(bindAddress(config.cluster.controllerManager), HEALTH_PORTS[component])
    case 'kube-scheduler':
      return endpoint(bindAddress(config.cluster.scheduler), HEALTH_PORTS[component])
  }
}

function endpoint(address: string, port: number): ProbeEndpoint {
  const host = probeHost(address)
  return { ...(host !== undefined && { host }), port, scheme: 'HTTPS' }
}

function bindAddress(component: InitConfig['cluster']['scheduler']): string {
  return argumentValue(component.extraArgs, 'bind-address') ?? '127.0.0.1'
}

/** Releases built with a Go that reads URLs strictly. Source: Kubernetes 1.36 is built with Go 1.26 (its go.mod). */
const STRICT_URLS: Since<boolean> = { '1.18': false, '1.36': true }

// The first of the listed URLs counts; what cannot be read of it is taken from the default.
function etcdEndpoint(config: InitConfig): ProbeEndpoint {
  const fallback: ProbeEndpoint = { host: loopback(config), port: HEALTH_PORTS.etcd, scheme: 'HTTP' }
  const urls = argumentValue(config.cluster.etcd.local?.extraArgs, 'listen-metrics-urls')
  if (urls === undefined) return fallback
  const url = parseGoUrl(urls.split(',')[0] ?? '', valueSince(STRICT_URLS, config.kubeadm) ?? false)
  if (url === undefined) return fallback
  const port = Number(url.port)
  return {
    host: url.hostname || loopback(config),
    port: port >= 1 && port <= 65_535 ? port : HEALTH_PORTS.etcd,
    scheme: url.scheme === 'https' ? 'HTTPS' : 'HTTP',
  }
}

const STARTUP_PERIOD_NANOSECONDS = 10e9

function timing(name: ProbeName, config: InitConfig): JsonObject {
  const fixed = valueSince(PROBE_TIMING[name], config.kubeadm)
  // Go leaves a zero out.
  return { ...fixed, failureThreshold: fixed?.failureThreshold ?? (startupThreshold(config) || undefined) }
}

/**
 * How often the startup probe may fail: the timeout for the control plane in periods, rounded up. kubeadm 1.30 to 1.34.0
 * overlooked what a v1beta3 file says of it (fixed by k/k PR 133513 and its cherry picks); here it always counts.
 */
export function startupThreshold(config: InitConfig): number {
  const timeout = parseDuration(config.init.timeouts.controlPlaneComponentHealthCheck)
  return Math.ceil(Number(timeout) / STARTUP_PERIOD_NANOSECONDS)
}
