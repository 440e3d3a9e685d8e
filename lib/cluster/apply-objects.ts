/** The objects of an init into a live API server, all at once. */
import { applyObject, patchObject } from '../api/apply.ts'
import type { Api } from '../api/client.ts'
import type { ClusterObject } from '../objects/cluster-object.ts'

/** Objects that stay as they are when they exist. Source: kubeadm CreateOrRetainConfigMap (v1.36). */
const RETAINED: readonly string[] = ['cluster-info']

/** Applies objects; those whose server is not ready for them yet are tried again. Throws the first ApiError. */
export async function applyObjects(api: Api, objects: readonly ClusterObject[], deadline: AbortSignal): Promise<void> {
  await Promise.all(
    objects.map(({ verb, name, object }) =>
      verb === 'PATCH'
        ? patchObject(api, `/api/v1/nodes/${name}`, object, deadline)
        : applyObject(api, object, { retain: RETAINED.includes(name), deadline }),
    ),
  )
}
