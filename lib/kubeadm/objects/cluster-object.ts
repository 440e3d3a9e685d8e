/** One object that init puts into the API server, and the list of them as a dry run shows it. */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { isSince, type Version } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'

export interface ClusterObject {
  /** kubeadm's name of the phase that applies it, e.g. `upload-config/kubelet`. */
  readonly phase: string
  /** PATCH is a strategic merge patch. */
  readonly verb: 'CREATE' | 'PATCH'
  /** Plural name in the API, e.g. `configmaps`. */
  readonly resource: string
  readonly name: string
  /** Empty for what belongs to the whole cluster. */
  readonly namespace: string
  /** The object to create, or the patch. */
  readonly object: JsonObject
  /** What kubeadm's dry run prints instead of a patch: the imagined Node that it would have got back. */
  readonly shown?: JsonObject
}

/** Kinds of this project's objects and their plural names. */
const RESOURCES: Readonly<Record<string, string>> = {
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  ConfigMap: 'configmaps',
  DaemonSet: 'daemonsets',
  Deployment: 'deployments',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Secret: 'secrets',
  Service: 'services',
  ServiceAccount: 'serviceaccounts',
  StorageClass: 'storageclasses',
}

const CLUSTER_WIDE: readonly string[] = ['ClusterRole', 'ClusterRoleBinding', 'StorageClass']

/** Objects of a phase, to be created in this order, as a release of kubeadm writes them. */
export function created(phase: string, objects: readonly JsonObject[], kubeadm: Version): ClusterObject[] {
  return objects.map(object => {
    const kind = String(object.kind)
    const metadata = isObject(object.metadata) ? object.metadata : {}
    return {
      phase,
      verb: 'CREATE',
      resource: RESOURCES[kind] ?? '',
      name: String(metadata.name),
      namespace: CLUSTER_WIDE.includes(kind) ? '' : String(metadata.namespace ?? ''),
      object: asSerialised(object, kubeadm),
    }
  })
}

/** Up to 1.33 Go wrote `creationTimestamp: null` into every metadata. Source: seen in 1.33.13, gone in 1.34.9. */
const NO_NULL_TIMESTAMPS = '1.34'

/** The object with the traces that the types of the release leave in its serialised form. */
export function asSerialised(object: JsonObject, kubeadm: Version): JsonObject {
  if (isSince(kubeadm, NO_NULL_TIMESTAMPS)) return object
  const stamped = withTimestamp(object)
  const template = isObject(stamped.spec) ? stamped.spec.template : undefined
  return isObject(template) && isObject(stamped.spec)
    ? { ...stamped, spec: { ...stamped.spec, template: withTimestamp(template) } }
    : stamped
}

function withTimestamp(object: JsonObject): JsonObject {
  return isObject(object.metadata) ? { ...object, metadata: { creationTimestamp: null, ...object.metadata } } : object
}

/**
 * All objects as one YAML stream, each under a comment with verb and resource. Where kubeadm's dry run hides a patch
 * behind an imagined Node, the patch itself stands in a second comment.
 */
export function clusterObjectsYaml(objects: readonly ClusterObject[]): string {
  return objects.map(document).join('---\n')
}

function document({ verb, resource, object, shown }: ClusterObject): string {
  const heading = `# ${verb} ${resource}\n`
  if (verb === 'CREATE') return heading + stringify(object)
  const patch = goJson(object)
  return shown === undefined ? `${heading}${patch}\n` : `${heading}# ${patch}\n${stringify(shown)}`
}

/** JSON as Go's encoding/json writes it: keys sorted, no blanks, what is special in HTML escaped. */
export function goJson(value: Json): string {
  return JSON.stringify(sorted(value)).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key] ?? null)]),
  )
}
