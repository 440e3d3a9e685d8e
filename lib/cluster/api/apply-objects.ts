/** The objects of an init into a live API server, all at once. */

import type { ClusterObject } from '../../kubeadm/objects/cluster-object.ts'
import type { Api } from './api-client.ts'
import { applyObject, patchObject } from './apply-object.ts'
import { completed } from './completed-object.ts'

/** Objects that stay as they are when they exist. Source: kubeadm CreateOrRetainConfigMap (v1.36). */
const RETAINED: readonly string[] = ['cluster-info']

/** Applies objects; those whose server is not ready for them yet are tried again. Throws the first ApiError. */
export async function applyObjects(api: Api, objects: readonly ClusterObject[], deadline: AbortSignal): Promise<void> {
  await Promise.all(
    objects.map(async row => {
      const { verb, name } = row
      const object = await completed(api, row, deadline)
      if (verb === 'PATCH') await patchObject(api, `/api/v1/nodes/${name}`, object, deadline)
      else await applyObject(api, object, { retain: RETAINED.includes(name), deadline })
    }),
  )
}
