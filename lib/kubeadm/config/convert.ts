/**
 * Between the API versions: everything inside works with the shapes of v1beta4.
 * Source: kubeadm apis/kubeadm/v1beta3/conversion.go (v1.36), v1beta2/conversion.go (v1.26).
 */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ApiVersion } from '../../base/kubeadm.ts'
import type { Finding } from './findings.ts'

/** Fields that are a mapping of argument names to values before v1beta4. */
const ARGUMENT_FIELDS: readonly (readonly string[])[] = [
  ['nodeRegistration', 'kubeletExtraArgs'],
  ['apiServer', 'extraArgs'],
  ['controllerManager', 'extraArgs'],
  ['scheduler', 'extraArgs'],
  ['etcd', 'local', 'extraArgs'],
]

/** Where v1beta2 and v1beta3 keep what is a timeout of Init and Join in v1beta4. */
const TIMEOUT_FIELDS = {
  controlPlaneComponentHealthCheck: ['apiServer', 'timeoutForControlPlane'],
  discovery: ['discovery', 'timeout'],
} as const

/** A decoded document in v1beta4's shape; `apiServer.timeoutForControlPlane` stays for `legacyTimeout`. */
export function toV1beta4(apiVersion: string, document: JsonObject): JsonObject {
  if (apiVersion === 'kubeadm.k8s.io/v1beta4') return document
  const converted = ARGUMENT_FIELDS.reduce((result, path) => update(result, path, argumentList), document)
  const discovery = get(document, TIMEOUT_FIELDS.discovery)
  return discovery === undefined ? converted : set(converted, ['timeouts', 'discovery'], discovery)
}

/** The timeout that a ClusterConfiguration before v1beta4 sets for the control plane, unless it is kubeadm's default. */
export function legacyTimeout(cluster: JsonObject | undefined): string | undefined {
  const timeout = cluster && get(cluster, TIMEOUT_FIELDS.controlPlaneComponentHealthCheck)
  return typeof timeout === 'string' && timeout !== '0s' && timeout !== '4m0s' ? timeout : undefined
}

/** What v1beta2 could say and no release we write for does. */
export function conversionFindings(kind: string, document: JsonObject): Finding[] {
  const type = get(document, ['dns', 'type'])
  const findings: Finding[] = []
  if (typeof type === 'string' && !['', 'CoreDNS'].includes(type)) {
    findings.push({
      kind,
      field: 'dns.type',
      value: type,
      reason: 'only CoreDNS is there since Kubernetes 1.21; write CoreDNS',
    })
  }
  if (document.useHyperKubeImage === true) {
    const reason =
      'hyperkube images are no longer made; write false: each component has an image of its own, from imageRepository'
    findings.push({ kind, field: 'useHyperKubeImage', value: 'true', reason })
  }
  return findings
}

/** A complete v1beta4 ClusterConfiguration or InitConfiguration in the shape of an older version, fields unknown there included. */
export function fromV1beta4(apiVersion: ApiVersion, document: JsonObject, controlPlaneTimeout: string): JsonObject {
  if (apiVersion === 'kubeadm.k8s.io/v1beta4') return document
  const converted = ARGUMENT_FIELDS.reduce((result, path) => update(result, path, argumentMap), document)
  const timed =
    converted.apiServer === undefined
      ? converted
      : set(converted, TIMEOUT_FIELDS.controlPlaneComponentHealthCheck, controlPlaneTimeout)
  return apiVersion === 'kubeadm.k8s.io/v1beta2' && timed.dns !== undefined
    ? set(timed, ['dns', 'type'], 'CoreDNS')
    : timed
}

function argumentList(value: Json): Json {
  if (!isObject(value)) return value
  const names = Object.keys(value).sort((a, b) => (a < b ? -1 : 1))
  return names.map(name => ({ name, value: value[name] ?? '' }))
}

// Of repeated arguments the last one wins.
function argumentMap(value: Json): Json {
  if (!Array.isArray(value)) return value
  return Object.fromEntries(value.filter(isObject).map(arg => [String(arg.name), arg.value]))
}

function get(object: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)
}

function set(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [key = '', ...rest] = path
  const inner = object[key]
  return { ...object, [key]: rest.length === 0 ? value : set(isObject(inner) ? inner : {}, rest, value) }
}

function update(object: JsonObject, path: readonly string[], change: (value: Json) => Json): JsonObject {
  const value = get(object, path)
  return value === undefined ? object : set(object, path, change(value))
}
