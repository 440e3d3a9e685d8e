/** What a log bundle asks the API server, and what is taken out of the answers. */

import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Api } from '../api/api-client.ts'

export interface ApiPart {
  /** File in the bundle. */
  readonly name: string
  readonly path: string
}

/** No Secrets, and no ConfigMaps: users keep secrets in those too. */
export const API_PARTS: readonly ApiPart[] = [
  { name: 'version.json', path: '/version' },
  { name: 'readyz.txt', path: '/readyz?verbose' },
  { name: 'nodes.json', path: '/api/v1/nodes' },
  { name: 'pods.json', path: '/api/v1/pods' },
  { name: 'events.json', path: '/api/v1/events' },
  { name: 'services.json', path: '/api/v1/services' },
  { name: 'endpoints.json', path: '/api/v1/endpoints' },
  { name: 'serviceaccounts.json', path: '/api/v1/serviceaccounts' },
  { name: 'deployments.json', path: '/apis/apps/v1/deployments' },
  { name: 'daemonsets.json', path: '/apis/apps/v1/daemonsets' },
  { name: 'replicasets.json', path: '/apis/apps/v1/replicasets' },
  { name: 'leases.json', path: '/apis/coordination.k8s.io/v1/leases' },
  { name: 'csr.json', path: '/apis/certificates.k8s.io/v1/certificatesigningrequests' },
]

/** The answer as text. Throws when there is none. */
export async function apiText(api: Api | undefined, path: string): Promise<string> {
  if (api === undefined) throw new Error('there is no kubeconfig')
  const { status, body } = await api.send('GET', path)
  try {
    const answer = JSON.parse(body) as Json
    return `${JSON.stringify(withoutSecrets(answer), null, 2)}\n`
  } catch {
    return `status ${status}\n${body}\n`
  }
}

/** Fields that say much and tell nothing; the annotation repeats the whole object. */
const LEFT_OUT: readonly string[] = ['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']

/** An object without the values of environment variables, which are where Pods keep passwords. */
export function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !LEFT_OUT.includes(key))
      .map(([key, item]) => [
        key,
        key === 'env' && Array.isArray(item) ? item.map(maskVariable) : withoutSecrets(item ?? null),
      ]),
  )
}

function maskVariable(variable: Json): Json {
  return isObject(variable) && typeof variable.value === 'string'
    ? ({ ...variable, value: '<masked>' } satisfies JsonObject)
    : variable
}
