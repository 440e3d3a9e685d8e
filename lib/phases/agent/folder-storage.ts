/** Storage: each claim of our StorageClass gets a folder of the node that its Pod is on, and the folder goes with it. */
import { chmodSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type JsonObject, objectOf } from '../../base/json.ts'
import { LAYOUT } from '../../base/paths.ts'
import { refusal } from '../../cluster/api/api-client.ts'
import { followAll } from '../../cluster/api/follow-all.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import {
  type Claim,
  claimOf,
  type StorageSteps,
  storageSteps,
  type Volume,
  volumeOf,
} from '../../cluster/storage/claims.ts'
import { hostNameOf, isVolumePath, volumeObject, volumePath } from '../../cluster/storage/volume-object.ts'
import { PROVISIONER } from '../../kubeadm/objects/addon-objects.ts'
import { adminOf } from './admin-rights.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'

interface Class {
  readonly name: string
  readonly reclaims: string
}

const VOLUMES = '/api/v1/persistentvolumes'

/** Whoever a Pod runs as has to be able to write. */
const MODE = 0o777

export const folderStorage: AgentPart = {
  name: 'storage',
  run: async context => {
    const { say, signal } = context
    const admin = adminOf(context)
    const tell = tellOf(admin, say)
    await followAll<{ claims: Claim; volumes: Volume; classes: Class }>(
      admin,
      {
        collections: {
          claims: { collection: '/api/v1/persistentvolumeclaims', keep: claimOf },
          volumes: { collection: VOLUMES, keep: volumeOf },
          classes: { collection: '/apis/storage.k8s.io/v1/storageclasses', keep: classOf },
        },
        onState: async ({ claims, volumes, classes }) => {
          const steps = storageSteps(claims, volumes, PROVISIONER)
          for (const { claim, reason } of steps.refuse)
            await tell('PersistentVolumeClaim', claim, 'ProvisioningFailed', reason)
          await settle(steps, classes, context)
        },
        onFault: say,
      },
      signal,
    )
  },
}

function classOf(object: JsonObject): Class {
  return { name: String(objectOf(object.metadata).name), reclaims: String(object.reclaimPolicy ?? 'Delete') }
}

async function settle(
  { make, remove, grow }: StorageSteps,
  classes: readonly Class[],
  context: AgentContext,
): Promise<void> {
  const api = adminOf(context)()
  const ask = async (method: string, path: string, body?: JsonObject): Promise<void> => {
    const answer = await api.send(method, path, body, method === 'PATCH' ? 'application/merge-patch+json' : undefined)
    // Another look at the same state does the same again.
    if (answer.status >= 300 && answer.status !== 409 && answer.status !== 404) throw refusal(method, path, answer)
  }
  try {
    for (const claim of make) {
      const name = claim.node === '' ? context.node : claim.node
      const node = await api.get(`/api/v1/nodes/${name}`)
      if (node === undefined) continue
      if (name === context.node) makeFolder(volumePath(claim))
      const reclaims = classes.find(one => one.name === claim.storageClass)?.reclaims ?? 'Delete'
      await ask(
        'POST',
        VOLUMES,
        volumeObject(claim, { provisioner: PROVISIONER, reclaims, hostName: hostNameOf(node) }),
      )
      context.say(`${claim.namespace}/${claim.name} has the folder "${volumePath(claim)}" of node ${name}`)
    }
    for (const { name, path } of remove) {
      if (isVolumePath(path)) await rm(path, { recursive: true, force: true })
      await ask('DELETE', `${VOLUMES}/${name}`)
      context.say(`Volume ${name} went, with the folder "${path}"`)
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

function makeFolder(path: string): void {
  mkdirSync(LAYOUT.volumes, { recursive: true, mode: 0o755 })
  mkdirSync(path, { recursive: true })
  // The umask has taken bits away.
  chmodSync(path, MODE)
}
