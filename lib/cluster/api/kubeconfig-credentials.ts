/** Who to be and whom to trust, from a kubeconfig. */
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { parse } from '../../base/yaml.ts'
import type { Credentials } from './api-client.ts'

/**
 * Credentials of the current context. Certificates and keys may be embedded or named by their files, which `read`
 * reads. `server` replaces the one in the file. Throws a KubestepError that names the file.
 */
export function readCredentials(
  text: string,
  file: string,
  read: (path: string) => string | undefined,
  server?: string,
): Credentials {
  const config = parse(text)
  const root: JsonObject = isObject(config) ? config : {}
  const context = entry(root.contexts, root['current-context'], 'context')
  const cluster = entry(root.clusters, context.cluster, 'cluster')
  const user = entry(root.users, context.user, 'user')
  const pem = (owner: JsonObject, field: string): string => {
    const data = owner[`${field}-data`]
    const path = owner[field]
    const found =
      typeof data === 'string'
        ? Buffer.from(data, 'base64').toString()
        : typeof path === 'string'
          ? read(path)
          : undefined
    if (found === undefined || found === '') {
      throw new KubestepError(
        `kubeconfig: cannot use "${file}": its current context has no ${field}; make it again with the kubeconfig script`,
      )
    }
    return found
  }
  return {
    server: server ?? String(cluster.server),
    ca: pem(cluster, 'certificate-authority'),
    certificate: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
  }
}

// kubeconfigs hold lists of `{ name, <what>: ... }`.
function entry(list: Json | undefined, name: Json | undefined, what: string): JsonObject {
  const found = Array.isArray(list) ? list.find((item: Json) => isObject(item) && item.name === name) : undefined
  const value = isObject(found) ? found[what] : undefined
  return isObject(value) ? value : {}
}
