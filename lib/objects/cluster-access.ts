/** What admin.conf says about the cluster: which server, and which CA to trust. */
import { KubestepError, reasonOf } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { parse } from '../yaml.ts'

export interface ClusterAccess {
  /** `https://host:port`. */
  readonly server: string
  /** PEM; it may hold several certificates. */
  readonly caCertificate: string
}

/**
 * Reads the cluster of a kubeconfig's current context; a CA that is named by its file is read with `read`.
 * Throws a KubestepError that names the file and says what is wrong with it.
 */
export function clusterAccess(text: string, file: string, read: (path: string) => string | undefined): ClusterAccess {
  const fail = (reason: string): never => {
    throw new KubestepError(`kubeconfig: cannot use "${file}": ${reason}; make it anew with scripts/kubeconfig.mts`)
  }
  const config = parsed(text, fail)
  const context = named(config.contexts, 'context', config['current-context'])
  const cluster = named(config.clusters, 'cluster', context?.cluster)
  if (cluster === undefined) return fail('its current context names no cluster')
  const { server, 'certificate-authority-data': data, 'certificate-authority': path } = cluster
  if (typeof server !== 'string' || server === '') return fail('its cluster has no server')
  const caCertificate =
    typeof data === 'string'
      ? Buffer.from(data, 'base64').toString()
      : typeof path === 'string'
        ? read(path)
        : undefined
  if (!caCertificate) return fail('its cluster has no CA certificate')
  return { server, caCertificate }
}

function parsed(text: string, fail: (reason: string) => never): JsonObject {
  try {
    const value = parse(text)
    return isObject(value) ? value : fail('it is no mapping')
  } catch (error) {
    return error instanceof KubestepError ? fail(error.message) : fail(reasonOf(error))
  }
}

// kubeconfigs hold lists of `{ name, <what>: ... }`.
function named(list: Json | undefined, what: string, name: Json | undefined): JsonObject | undefined {
  const entry = Array.isArray(list) ? list.find((one: Json) => isObject(one) && one.name === name) : undefined
  const value = isObject(entry) ? entry[what] : undefined
  return isObject(value) ? value : undefined
}
