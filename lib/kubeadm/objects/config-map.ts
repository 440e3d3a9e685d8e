/** ConfigMaps, and the hash by which kubeadm knows those that no user has written. */
import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from '../../base/json.ts'
import { isSince, type Version } from '../../base/version.ts'

const HASH_ANNOTATION = 'kubeadm.kubernetes.io/component-config.hash'

/** Source: kubeadm componentconfigs/checksums.go, first in v1.19. */
const SIGNED_SINCE = '1.19'

export interface ConfigMapMeta {
  readonly name: string
  readonly namespace: string
  readonly labels?: Readonly<Record<string, string>>
}

export function configMap(metadata: ConfigMapMeta, data: Readonly<Record<string, string>>): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata }, data: { ...data } }
}

/** A ConfigMap of a component's configuration; signed unless the user wrote the configuration. */
export function componentConfigMap(
  metadata: ConfigMapMeta,
  data: Readonly<Record<string, string>>,
  userSupplied: boolean,
  kubeadm: Version,
): JsonObject {
  const object = configMap(metadata, data)
  if (userSupplied || !isSince(kubeadm, SIGNED_SINCE)) return object
  return { ...object, metadata: { ...metadata, annotations: { [HASH_ANNOTATION]: configMapHash(data) } } }
}

/** `sha256:` and the hash over the values, one after the other in the order of their keys. */
export function configMapHash(data: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256')
  for (const key of Object.keys(data).sort()) hash.update(data[key] ?? '')
  return `sha256:${hash.digest('hex')}`
}

/** Whether a ConfigMap is as kubeadm wrote it: nobody has changed it since. Source: kubeadm componentconfigs/checksums.go (v1.36). */
export function isSigned({ metadata, data }: JsonObject): boolean {
  const annotations = isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {}
  return isObject(data) && annotations[HASH_ANNOTATION] === configMapHash(data as Readonly<Record<string, string>>)
}
