/** Storage: each claim of our StorageClass gets a folder of the node that its Pod is on, and the folder goes with it. */
import type { JsonObject } from '../../base/json.ts'
import { refusal } from '../../cluster/api/api-client.ts'
import { followAll } from '../../cluster/api/follow-all.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import { follow } from '../../cluster/api/watch.ts'
import {
  type Claim,
  claimOf,
  type StorageSteps,
  storageSteps,
  type Volume,
  volumeOf,
} from '../../cluster/storage/claims.ts'
import { hostNameOf, volumeObject, volumePath } from '../../cluster/storage/volume-object.ts'
import { PROVISIONER } from '../../kubeadm/objects/addon-objects.ts'
import { adminOf, mayWrite } from './admin-rights.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'
import { type VolumeFolders, volumeFolders } from './volume-folders.ts'

const VOLUMES = '/api/v1/persistentvolumes'
const CLASSES = '/apis/storage.k8s.io/v1/storageclasses'

export const folderStorage: AgentPart = {
  name: 'storage',
  run: async context => {
    const { node, open, say, signal } = context
    const folders = volumeFolders(node)
    if (!mayWrite(context)) {
      const onState = async (volumes: readonly Volume[]): Promise<void> => {
        for (const { name, path } of await folders.settle(ours(volumes))) say(goneText(name, path))
      }
      return follow(open, { collection: VOLUMES, keep: volumeOf, onState, onFault: say }, signal)
    }
    const admin = adminOf(context)
    const tell = tellOf(admin, say)
    await followAll<{ claims: Claim; volumes: Volume }>(
      admin,
      {
        collections: {
          claims: { collection: '/api/v1/persistentvolumeclaims', keep: claimOf },
          volumes: { collection: VOLUMES, keep: volumeOf },
        },
        onState: async ({ claims, volumes }) => {
          const steps = storageSteps(claims, volumes, PROVISIONER)
          for (const { claim, reason } of steps.refuse)
            await tell('PersistentVolumeClaim', claim, 'ProvisioningFailed', reason)
          await settle(steps, { folders, context })
          await folders.settle(ours(volumes))
        },
        onFault: say,
      },
      signal,
    )
  },
}

function ours(volumes: readonly Volume[]): Volume[] {
  return volumes.filter(({ provisioner }) => provisioner === PROVISIONER)
}

function goneText(name: string, path: string): string {
  return `Volume ${name} went, with the folder "${path}"`
}

interface Settling {
  readonly folders: VolumeFolders
  readonly context: AgentContext
}

async function settle({ make, remove, grow }: StorageSteps, { folders, context }: Settling): Promise<void> {
  const api = adminOf(context)()
  const ask = async (method: string, path: string, body?: JsonObject): Promise<boolean> => {
    const answer = await api.send(method, path, body, method === 'PATCH' ? 'application/merge-patch+json' : undefined)
    // Another look at the same state does the same again.
    if (answer.status >= 300 && answer.status !== 409 && answer.status !== 404) throw refusal(method, path, answer)
    return answer.status < 300
  }
  try {
    for (const claim of make) {
      const name = claim.node === '' ? context.node : claim.node
      const node = await api.get(`/api/v1/nodes/${name}`)
      if (node === undefined) continue
      folders.make({ node: name, path: volumePath(claim) })
      const { reclaimPolicy } = (await api.get(`${CLASSES}/${claim.storageClass}`)) ?? {}
      const reclaims = String(reclaimPolicy ?? 'Delete')
      const place = { provisioner: PROVISIONER, reclaims, node: name, hostName: hostNameOf(node) }
      if (await ask('POST', VOLUMES, volumeObject(claim, place)))
        context.say(`${claim.namespace}/${claim.name} has the folder "${volumePath(claim)}" of node ${name}`)
    }
    for (const volume of remove) {
      await folders.remove(volume)
      if (await ask('DELETE', `${VOLUMES}/${volume.name}`)) context.say(goneText(volume.name, volume.path))
    }
    for (const { claim, volume } of grow) {
      const capacity = { storage: claim.size }
      await ask('PATCH', `${VOLUMES}/${volume.name}`, { spec: { capacity } })
      const { namespace, name } = claim
      await ask('PATCH', `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}/status`, {
        status: { capacity },
      })
    }
  } finally {
    api.close()
  }
}
