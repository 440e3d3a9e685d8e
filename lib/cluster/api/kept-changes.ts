/** What users have changed of CoreDNS in a live cluster, and keep when the addon is applied again. */

import { type JsonObject, objectOf } from '../../base/json.ts'
import { isDefaultCorefile } from '../../kubeadm/objects/corefile.ts'
import type { Api } from './api-client.ts'
import { nameOf, objectPath } from './resources.ts'

/** What may be somebody's own: given our object and the one in the cluster, what goes in; undefined when that stays. */
const KEPT: Readonly<Record<string, (ours: JsonObject, theirs: JsonObject) => JsonObject | undefined>> = {
  'Deployment coredns': (ours, theirs) => ({
    ...ours,
    spec: { ...objectOf(ours.spec), replicas: objectOf(theirs.spec).replicas ?? 1 },
  }),
  'ConfigMap coredns': (ours, theirs) => {
    const text = objectOf(theirs.data).Corefile
    const domain = /^ *kubernetes (\S+)/m.exec(String(objectOf(ours.data).Corefile))?.[1] ?? ''
    return typeof text !== 'string' || text.trim() === '' || isDefaultCorefile(text, domain) ? ours : undefined
  },
}

/**
 * The object with what was changed in the cluster kept; undefined when it should be left alone altogether.
 * Throws an ApiError. Source: kubeadm phases/addons/dns/dns.go (v1.36): replicas, Corefiles that are no defaults.
 */
export async function keepingChanges(api: Api, object: JsonObject): Promise<JsonObject | undefined> {
  const { kind, name } = nameOf(object)
  const keep = KEPT[`${kind} ${name}`]
  if (keep === undefined) return object
  const existing = await api.get(objectPath(nameOf(object)))
  return existing === undefined ? object : keep(object, existing)
}
