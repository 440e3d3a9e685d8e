/**
 * What a Pod cannot be without: the default ServiceAccount of its namespace, and the ConfigMap with the CA. The
 * controller manager makes both, seconds later, and finds nothing to do when they are there.
 */

import type { JsonObject } from '../../base/json.ts'
import { isSince, type Version } from '../../base/version.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObject } from '../../cluster/api/apply-object.ts'

/** Namespaces whose Pods are waited for: the user's first ones, and the addons'. */
const NAMESPACES: readonly string[] = ['default', 'kube-system']

/** The objects, as the controller manager makes them. Source: serviceaccounts_controller.go, publisher.go (v1.36). */
export function firstAccounts(version: Version, ca: string): JsonObject[] {
  return NAMESPACES.flatMap((namespace): JsonObject[] => [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
    // RootCAConfigMap is on since 1.20.
    ...(isSince(version, '1.20')
      ? [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'kube-root-ca.crt', namespace },
            data: { 'ca.crt': ca },
          },
        ]
      : []),
  ])
}

/** Makes them, as soon as their namespaces are there. Throws an ApiError. */
export async function makeFirstAccounts(api: Api, version: Version, ca: string, deadline: AbortSignal): Promise<void> {
  await Promise.all(firstAccounts(version, ca).map(object => applyObject(api, object, { retain: true, deadline })))
}
