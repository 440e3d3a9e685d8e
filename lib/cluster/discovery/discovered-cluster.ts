/** What discovery ends with: a cluster that is trusted, and who this machine is to it. */
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { parse } from '../../base/yaml.ts'
import type { Credentials } from '../api/api-client.ts'

export interface DiscoveredCluster {
  /** `https://host:port`. */
  readonly server: string
  /** PEM. */
  readonly ca: string
  /** Who asks for the configuration, and for the kubelet's certificate. */
  readonly identity: Pick<Credentials, 'token' | 'certificate' | 'key'>
  /** What people should know; a line each. */
  readonly notices: readonly string[]
}

/** The cluster that a kubeconfig speaks of. Throws a KubestepError. */
export function clusterOf(kubeconfig: string, what: string): { readonly server: string; readonly ca?: string } {
  const cluster = entryOf(kubeconfig, what).cluster
  const { server, 'certificate-authority-data': data } = cluster
  if (typeof server !== 'string' || !server.startsWith('https://')) {
    throw new KubestepError(`discovery: cannot use ${what}: it names no https server`)
  }
  return {
    server: server.replace(/\/+$/, ''),
    ...(typeof data === 'string' && { ca: Buffer.from(data, 'base64').toString() }),
  }
}

/**
 * Cluster and user of a kubeconfig: a cluster without a name, that of the context, or the only one where there is no
 * context. Throws a KubestepError. Source: kubeadm util/kubeconfig, GetClusterFromKubeConfig (v1.36).
 */
export function entryOf(
  kubeconfig: string,
  what: string,
): { readonly cluster: JsonObject; readonly user?: JsonObject } {
  let root: Json
  try {
    root = parse(kubeconfig)
  } catch {
    root = null
  }
  const object: JsonObject = isObject(root) ? root : {}
  const context = named(object.contexts, object['current-context'], 'context')
  const clusters = Array.isArray(object.clusters) ? object.clusters.filter(isObject) : []
  const cluster =
    named(object.clusters, '', 'cluster') ??
    named(
      object.clusters,
      context === undefined && clusters.length === 1 ? clusters[0]?.name : context?.cluster,
      'cluster',
    )
  if (cluster === undefined) {
    const isOpen = context === undefined && clusters.length > 1
    const reason = isOpen
      ? 'it has several clusters, and no context says which'
      : 'it is not a kubeconfig with a cluster'
    throw new KubestepError(`discovery: cannot use ${what}: ${reason}`)
  }
  const user = named(object.users, context?.user, 'user')
  return { cluster, ...(user !== undefined && { user }) }
}

function named(list: Json | undefined, name: Json | undefined, what: string): JsonObject | undefined {
  const found = Array.isArray(list) ? list.find((item: Json) => isObject(item) && item.name === name) : undefined
  const value = isObject(found) ? found[what] : undefined
  return isObject(value) ? value : undefined
}
