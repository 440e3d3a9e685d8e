/** The manifests of a node: which static Pods, where they lie, and what to say about them. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { stringify } from '../../base/yaml.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { EtcdMember, PodInput } from './command-line.ts'
import { podNotices } from './manifest-notices.ts'
import { inputOf, type PodOptions, staticPod } from './pod.ts'
import { COMPONENT_NAMES, type ComponentName } from './static-pods.ts'

export interface StaticPod {
  readonly component: ComponentName
  /** Path of the manifest, e.g. `/etc/kubernetes/manifests/etcd.yaml`. */
  readonly path: string
  readonly pod: JsonObject
  /** What kubeadm says when it writes the manifest. */
  readonly progress: string
  /** What the user should know, e.g. of overrides that break something. */
  readonly messages: readonly string[]
}

/** Path of a component's manifest. */
export function manifestPath(component: ComponentName): string {
  return `${KUBERNETES.manifests}/${component}.yaml`
}

/** The components that a configuration runs as static Pods: all but an external etcd. */
export function localComponents(config: InitConfig): readonly ComponentName[] {
  return COMPONENT_NAMES.filter(component => component !== 'etcd' || config.cluster.etcd.local !== undefined)
}

/** The static Pods of `components`, by default of all that run on the node. Throws like staticPod. */
export function staticPods(
  config: InitConfig,
  facts: PodInput['facts'],
  components: readonly ComponentName[] = localComponents(config),
  options: PodOptions = {},
): StaticPod[] {
  return components.map(component => ({
    component,
    path: manifestPath(component),
    pod: staticPod(component, config, facts, options),
    progress: progressLine(component),
    messages: podNotices(component, inputOf(config, facts, options), options),
  }))
}

/** The manifests as files, each changed by `apply` (the user's patches) on its way. */
export function manifestFiles(
  pods: readonly StaticPod[],
  apply: (target: ComponentName, pod: JsonObject) => JsonObject = (_target, pod) => pod,
): FileEntry[] {
  return pods.map(({ component, path, pod }) => ({ path, mode: 0o600, content: stringify(apply(component, pod)) }))
}

/** What a run renders manifests from. */
export interface ManifestInput {
  readonly config: InitConfig
  readonly facts: PodInput['facts']
  /** Whether the CA's key is kept elsewhere. */
  readonly externalCa: boolean
  readonly apply: (target: string, pod: JsonObject) => JsonObject
  /** Of an etcd that joins others: all of them, its own among them. */
  readonly etcdMembers?: readonly EtcdMember[]
}

/** The manifests of `components` with what there is to say about them. Throws like staticPod. */
export function renderManifests(
  components: readonly ComponentName[],
  { config, facts, externalCa, apply, etcdMembers = [] }: ManifestInput,
): { readonly files: FileEntry[]; readonly messages: string[]; readonly warnings: string[] } {
  const pods = staticPods(config, facts, components, { externalCa, etcdMembers })
  return {
    files: manifestFiles(pods, apply),
    messages: pods.map(({ progress }) => progress),
    warnings: pods.flatMap(({ messages }) => messages),
  }
}

function progressLine(component: ComponentName): string {
  return component === 'etcd'
    ? `[etcd] Creating static Pod manifest for local etcd in "${KUBERNETES.manifests}"`
    : `[control-plane] Creating static Pod manifest for "${component}"`
}
