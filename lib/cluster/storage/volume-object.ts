/** The volume of a claim: a folder of one node. */
import { basename, join } from 'node:path'
import type { JsonObject } from '../../base/json.ts'
import { LAYOUT } from '../../base/paths.ts'
import { type Claim, FOLDER_NODE, PROVISIONED_BY, volumeName } from './claims.ts'

const HOST_NAME = 'kubernetes.io/hostname'

/** Where the volume of a claim lies. */
export function volumePath(claim: Claim): string {
  return join(LAYOUT.volumes, `${claim.namespace}_${claim.name}_${volumeName(claim)}`)
}

/** Whether a path is that of such a folder: what a volume says may be anybody's. */
export function isVolumePath(path: string): boolean {
  return join(LAYOUT.volumes, basename(path)) === path
}

export interface VolumePlace {
  readonly provisioner: string
  readonly reclaims: string
  readonly node: string
  /** The label of the node, by which the scheduler goes. */
  readonly hostName: string
}

/** The PersistentVolume of a claim. */
export function volumeObject(claim: Claim, { provisioner, reclaims, node, hostName }: VolumePlace): JsonObject {
  const { namespace, name, uid, version, size, modes, storageClass } = claim
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName(claim), annotations: { [PROVISIONED_BY]: provisioner, [FOLDER_NODE]: node } },
    spec: {
      capacity: { storage: size },
      accessModes: modes,
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: reclaims,
      storageClassName: storageClass,
      // On a machine without an agent the kubelet makes the folder.
      hostPath: { path: volumePath(claim), type: 'DirectoryOrCreate' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion: version },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOST_NAME, operator: 'In', values: [hostName] }] }],
        },
      },
    },
  }
}

/** The label of a Node by which the scheduler finds it. */
export function hostNameOf(node: JsonObject): string {
  const { labels, name } = (node.metadata ?? {}) as JsonObject
  return String((labels as JsonObject | undefined)?.[HOST_NAME] ?? name)
}
