/** Environment variables of a component: the proxies of this process and the user's extraEnvs. */

import type { JsonObject } from '../../base/json.ts'
import type { EnvVar } from '../../base/kubeadm.ts'

/** Later ones replace earlier ones of the same name; sorted by name. Source: kubeadm util/env.go (v1.36). */
export function mergeEnvironment(...lists: readonly (readonly EnvVar[] | undefined)[]): JsonObject[] {
  const merged = new Map(lists.flatMap(list => list ?? []).map(variable => [variable.name, variable]))
  return [...merged.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value, valueFrom }) => ({ name, value: value || undefined, valueFrom }))
}
