/** On the machine where a cluster began: what lets those that join do the same. It does that once. */
import { applyObject } from '../../cluster/api/apply-object.ts'
import { networkObjects, type SharedSettings } from '../../kubeadm/objects/network-objects.ts'
import { adminOf } from './admin-rights.ts'
import type { AgentPart } from './agent-part.ts'

/** An API server that is on its way comes within that. */
const LIMIT_MS = 120_000

export const sharedSettings: AgentPart = {
  name: 'shared-settings',
  run: async context => {
    const api = adminOf(context)()
    const objects = networkObjects(context.settings as unknown as SharedSettings)
    const deadline = AbortSignal.timeout(LIMIT_MS)
    await Promise.all(objects.map(object => applyObject(api, object, { deadline }))).finally(api.close)
  },
}
