/** Where objects live in the Kubernetes API: one row per kind that this project touches. */
import type { JsonObject } from '../../base/json.ts'

interface Resource {
  readonly plural: string
  readonly namespaced: boolean
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  ClusterRole: { plural: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { plural: 'clusterrolebindings', namespaced: false },
  ConfigMap: { plural: 'configmaps', namespaced: true },
  DaemonSet: { plural: 'daemonsets', namespaced: true },
  Deployment: { plural: 'deployments', namespaced: true },
  Endpoints: { plural: 'endpoints', namespaced: true },
  Event: { plural: 'events', namespaced: true },
  Namespace: { plural: 'namespaces', namespaced: false },
  Node: { plural: 'nodes', namespaced: false },
  Pod: { plural: 'pods', namespaced: true },
  Role: { plural: 'roles', namespaced: true },
  RoleBinding: { plural: 'rolebindings', namespaced: true },
  Secret: { plural: 'secrets', namespaced: true },
  Service: { plural: 'services', namespaced: true },
  ServiceAccount: { plural: 'serviceaccounts', namespaced: true },
  StorageClass: { plural: 'storageclasses', namespaced: false },
}

/** What names an object: enough to build its path. */
export interface ObjectName {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** The name of a complete object. */
export function nameOf(object: JsonObject): ObjectName {
  const metadata = (object.metadata ?? {}) as JsonObject
  return {
    apiVersion: String(object.apiVersion),
    kind: String(object.kind),
    name: String(metadata.name),
    ...(typeof metadata.namespace === 'string' && { namespace: metadata.namespace }),
  }
}

/** Path of the collection an object belongs to, e.g. `/apis/apps/v1/namespaces/kube-system/deployments`. */
export function collectionPath({ apiVersion, kind, namespace }: Omit<ObjectName, 'name'>): string {
  const resource = RESOURCES[kind]
  if (resource === undefined) throw new RangeError(`no path is known for kind ${kind}`)
  const prefix = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : ''
  return `${prefix}${scope}/${resource.plural}`
}

/** Path of one object. */
export function objectPath(name: ObjectName): string {
  return `${collectionPath(name)}/${encodeURIComponent(name.name)}`
}
