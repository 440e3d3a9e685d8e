/** Which versions run in a cluster, node by node. */

import { isObject, type Json, type JsonObject, objectsOf } from '../../base/json.ts'
import { formatVersion, parseVersion } from '../../base/version.ts'
import type { ByVersion, ClusterVersions } from '../../kubeadm/upgrade/plan.ts'
import type { Api } from './api-client.ts'
import { conditionOf } from './condition.ts'

const PODS = '/api/v1/namespaces/kube-system/pods'

/** Reads them from the Nodes, from the images of static Pods, CoreDNS and kube-proxy. Throws an ApiError. */
export async function runningVersions(api: Api): Promise<ClusterVersions> {
  const [nodes, pods, deployments, proxy] = await Promise.all([
    api.get('/api/v1/nodes'),
    api.get(`${PODS}?labelSelector=${encodeURIComponent('tier=control-plane')}`),
    api.get(`/apis/apps/v1/namespaces/kube-system/deployments?labelSelector=${encodeURIComponent('k8s-app=kube-dns')}`),
    api.get('/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy'),
  ])
  const kubelets = itemsOf(nodes).map(
    node => [text(node, 'status', 'nodeInfo', 'kubeletVersion'), text(node, 'metadata', 'name')] as const,
  )
  const byComponent = (component: string): ByVersion =>
    grouped(
      itemsOf(pods)
        .filter(pod => text(pod, 'metadata', 'labels', 'component') === component)
        .map(pod => [imageTag(pod.spec), text(pod, 'spec', 'nodeName')] as const),
    )
  const [dns] = itemsOf(deployments)
  const specOf = (workload: JsonObject | undefined): Json | undefined =>
    isObject(workload?.spec) && isObject(workload.spec.template) ? workload.spec.template.spec : undefined
  const kubeProxy = parseVersion(imageTag(specOf(proxy)))
  return {
    kubelets: grouped(kubelets),
    apiservers: byComponent('kube-apiserver'),
    controllerManagers: byComponent('kube-controller-manager'),
    schedulers: byComponent('kube-scheduler'),
    etcds: byComponent('etcd'),
    ...(dns !== undefined && { coredns: imageTag(specOf(dns)) }),
    ...(kubeProxy !== undefined && { kubeProxy: formatVersion(kubeProxy) }),
  }
}

/** Control planes that are not Ready, by name. */
export async function unreadyControlPlanes(api: Api): Promise<readonly string[]> {
  const isControlPlane = (node: JsonObject): boolean => {
    const labels = isObject(node.metadata) && isObject(node.metadata.labels) ? node.metadata.labels : {}
    return ['control-plane', 'master'].some(role => `node-role.kubernetes.io/${role}` in labels)
  }
  const isReady = (node: JsonObject): boolean => conditionOf(node, 'Ready')?.status === 'True'
  return itemsOf(await api.get('/api/v1/nodes'))
    .filter(node => isControlPlane(node) && !isReady(node))
    .map(node => text(node, 'metadata', 'name'))
}

/** The tag of the image of a Pod's first container. */
export function imageTag(spec: Json | undefined): string {
  const containers = isObject(spec) && Array.isArray(spec.containers) ? (spec.containers as readonly Json[]) : []
  const [first] = containers
  return /:([^:/@]+)(?:@.*)?$/.exec(isObject(first) ? String(first.image) : '')?.[1] ?? ''
}

function itemsOf(list: JsonObject | undefined): readonly JsonObject[] {
  return objectsOf(list?.items)
}

function text(object: JsonObject, ...path: readonly string[]): string {
  const found = path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)
  return typeof found === 'string' ? found : ''
}

function grouped(pairs: readonly (readonly [version: string, node: string])[]): ByVersion {
  const groups: Record<string, string[]> = {}
  for (const [version, node] of pairs) groups[version] = [...(groups[version] ?? []), node]
  return groups
}
