/** What people and programs need to know when the cluster is up. */
import { imageList } from '../images/images.ts'
import type { Json } from '../json.ts'
import { localUrl } from '../kubeconfig/kubeconfigs.ts'
import type { ClusterUp } from './bring-up.ts'

/** Lines for the end of an init. */
export function summary({ config, gates, timings }: ClusterUp): string[] {
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`
  const slowest = Math.max(0, ...gates.map(({ name }) => timings[name] ?? 0))
  return [
    ...gates.map(({ name }) => `[ready] ${name} after ${seconds(timings[name] ?? 0)}`),
    `[init] Kubernetes ${config.cluster.kubernetesVersion} is ready after ${seconds(slowest || (timings['objects applied'] ?? 0))}`,
    '[init] To use it:',
    '',
    '  export KUBECONFIG=/etc/kubernetes/admin.conf',
    '  kubectl get nodes',
    '',
    '[init] To take it away again: the reset script',
  ]
}

/** The same for programs: the event "ready". Timings are milliseconds since the start, by what was reached. */
export function facts({ config, gates, runtime, timings }: ClusterUp): Readonly<Record<string, Json>> {
  return {
    kubernetesVersion: config.cluster.kubernetesVersion,
    nodeName: config.init.nodeRegistration.name,
    server: localUrl(config),
    runtime: { name: runtime.name, version: runtime.version },
    images: imageList(config),
    gates: gates.map(({ name, afterMs }) => ({ name, afterMs })),
    timings,
  }
}
