/** A profile put under what the user says: in configurations before defaults are filled in, in Pods before the user's patches. */

import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ComponentConfig, KubeadmKind } from '../../base/kubeadm.ts'
import { isSince, type Version } from '../../base/version.ts'
import { ARGUMENTS, COREDNS_REPLICAS, ENVIRONMENT, FIELDS, PATCHES } from './ci-profile.ts'

export type ProfileName = 'kubeadm' | 'ci'

/** The profile that `--profile` names. */
export function profileOf({ profile }: { readonly profile?: string }): ProfileName {
  return profile === 'ci' ? 'ci' : 'kubeadm'
}

/** The part of a configuration being read that a profile fills in. */
export interface ProfiledDrafts {
  readonly drafts: Readonly<Partial<Record<KubeadmKind, JsonObject>>>
  readonly kubelet: ComponentConfig
  readonly kubeProxy: ComponentConfig
}

/** Drafts with the fields and arguments of a profile where the user gave none. */
export function withProfile<Drafts extends ProfiledDrafts>(
  given: Drafts,
  profile: ProfileName,
  release: Version,
  controlPlanes = 1,
): Drafts {
  if (profile === 'kubeadm') return given
  const fill = (kind: string, object: JsonObject): JsonObject =>
    FIELDS.filter(row => row.kind === kind && isReached(row.since, release)).reduce(
      (filled, { field, value }) => withDefault(filled, field.split('.'), value),
      object,
    )
  const { drafts, kubelet, kubeProxy } = given
  const cluster = fill('ClusterConfiguration', drafts.ClusterConfiguration ?? {})
  return {
    ...given,
    drafts: {
      ...drafts,
      InitConfiguration: fill('InitConfiguration', drafts.InitConfiguration ?? {}),
      ClusterConfiguration: withArguments(cluster, release, controlPlanes),
    },
    kubelet: { ...kubelet, document: fill('KubeletConfiguration', kubelet.document) },
    kubeProxy: { ...kubeProxy, document: fill('KubeProxyConfiguration', kubeProxy.document) },
  }
}

function withArguments(cluster: JsonObject, release: Version, controlPlanes: number): JsonObject {
  const isAlone = controlPlanes === 1 && !cluster.controlPlaneEndpoint
  const { external } = (isObject(cluster.etcd) ? cluster.etcd : {}) as JsonObject
  return ARGUMENTS.filter(
    row =>
      isReached(row.since, release) &&
      !(external && row.component === 'etcd.local') &&
      (isAlone || row.alone === undefined) &&
      (controlPlanes > 1 || row.several === undefined),
  ).reduce((changed, { component, name, value }) => {
    const path = [...component.split('.'), 'extraArgs']
    const present = at(changed, path)
    const list = (Array.isArray(present) ? present : []) as readonly JsonObject[]
    return list.some(argument => argument.name === name)
      ? changed
      : withValue(changed, path, [...list, { name, value }])
  }, cluster)
}

/** The profile's changes to a Pod or Deployment; to be made before the user's patches, so that those win. */
export function profilePatch(profile: ProfileName, target: string, object: JsonObject): JsonObject {
  if (profile === 'kubeadm') return object
  const containers =
    target === 'corednsdeployment' ? ['spec', 'template', 'spec', 'containers'] : ['spec', 'containers']
  const present = at(object, containers)
  if (!Array.isArray(present)) return object
  const [first, ...others] = present as readonly JsonObject[]
  const changed = PATCHES.filter(row => row.target === target).reduce((container, { field, value }) => {
    const path = field.split('.')
    // Releases without that probe stay without it.
    return isObject(at(container, path.slice(0, -1))) ? withValue(container, path, value) : container
  }, first ?? {})
  const patched = withValue(object, containers, [withVariables(changed, target), ...others])
  return target === 'corednsdeployment' ? withValue(patched, ['spec', 'replicas'], COREDNS_REPLICAS) : patched
}

function withVariables(container: JsonObject, target: string): JsonObject {
  const present = (Array.isArray(container.env) ? container.env : []) as readonly JsonObject[]
  const missing = ENVIRONMENT.filter(
    row => row.targets.includes(target) && !present.some(variable => variable.name === row.name),
  ).map(({ name, value }) => ({ name, value }))
  return missing.length === 0 ? container : { ...container, env: [...present, ...missing] }
}

function isReached(since: string | undefined, release: Version): boolean {
  return since === undefined || isSince(release, since)
}

function at(object: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)
}

function withDefault(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  return at(object, path) === undefined ? withValue(object, path, value) : object
}

function withValue(object: JsonObject, [key = '', ...rest]: readonly string[], value: Json): JsonObject {
  const inner = object[key]
  return { ...object, [key]: rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value) }
}
