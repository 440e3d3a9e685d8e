/** Claims and volumes of our StorageClass, as values: what of an object counts, and what is to be done. */
import { quantityOf } from '../../base/go/quantity.ts'
import { type Json, type JsonObject, objectOf } from '../../base/json.ts'

export interface Claim {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly version: string
  readonly storageClass: string
  /** Who is asked to make its volume; '' as long as nobody is. */
  readonly provisioner: string
  /** The node that the scheduler has chosen for its Pod; '' where the class does not wait for one. */
  readonly node: string
  readonly size: string
  readonly modes: readonly string[]
  /** Name of the volume that it has; '' without one. */
  readonly volume: string
  readonly isBlock: boolean
  /** What it is to be a copy of; '' where it begins empty. */
  readonly source: string
  readonly isGoing: boolean
}

export interface Volume {
  readonly name: string
  readonly provisioner: string
  readonly phase: string
  readonly reclaims: string
  readonly size: string
  readonly path: string
  /** The node that has its folder. */
  readonly node: string
  readonly isGoing: boolean
}

export interface StorageSteps {
  /** Claims that get a volume. */
  readonly make: readonly Claim[]
  readonly refuse: readonly { readonly claim: Claim; readonly reason: string }[]
  /** Volumes whose claim has gone, and whose data goes, too. */
  readonly remove: readonly Volume[]
  /** Claims that ask for more than their volume has. */
  readonly grow: readonly { readonly claim: Claim; readonly volume: Volume }[]
}

// Both are set until 1.22, the second alone later. Source: component-helpers storage/volume/pv_helpers.go (v1.18 to v1.36).
const PROVISIONERS: readonly string[] = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
]
// It counts before the field. Source: component-helpers storage/volume/helpers.go, GetPersistentVolumeClaimClass (v1.36).
const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class'
const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** Whose volume it is. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
/** On which node; affinity speaks of a label, which may be another name. */
export const FOLDER_NODE = 'kubestep/node'

export function claimOf(object: JsonObject): Claim {
  const [metadata, spec] = [objectOf(object.metadata), objectOf(object.spec)]
  const notes = objectOf(metadata.annotations)
  const { kind, name } = objectOf(spec.dataSourceRef ?? spec.dataSource)
  return {
    namespace: text(metadata.namespace),
    name: text(metadata.name),
    uid: text(metadata.uid),
    version: text(metadata.resourceVersion),
    storageClass: text(notes[OLD_CLASS] ?? spec.storageClassName),
    provisioner: text(PROVISIONERS.map(key => notes[key]).find(value => value !== undefined)),
    node: text(notes[SELECTED_NODE]),
    size: text(objectOf(objectOf(spec.resources).requests).storage),
    modes: Array.isArray(spec.accessModes) ? spec.accessModes.map(text) : [],
    volume: text(spec.volumeName),
    isBlock: spec.volumeMode === 'Block',
    source: name === undefined ? '' : `${text(kind)} ${text(name)}`,
    isGoing: metadata.deletionTimestamp !== undefined,
  }
}

export function volumeOf(object: JsonObject): Volume {
  const [metadata, spec] = [objectOf(object.metadata), objectOf(object.spec)]
  const notes = objectOf(metadata.annotations)
  return {
    name: text(metadata.name),
    provisioner: text(notes[PROVISIONED_BY]),
    node: text(notes[FOLDER_NODE]),
    phase: text(objectOf(object.status).phase),
    reclaims: text(spec.persistentVolumeReclaimPolicy),
    size: text(objectOf(spec.capacity).storage),
    path: text(objectOf(spec.hostPath).path),
    isGoing: metadata.deletionTimestamp !== undefined,
  }
}

/** Name of the volume of a claim, as every provisioner has it. */
export function volumeName({ uid }: Pick<Claim, 'uid'>): string {
  return `pvc-${uid}`
}

/** What `provisioner` has to do, given everything that there is. */
export function storageSteps(claims: readonly Claim[], volumes: readonly Volume[], provisioner: string): StorageSteps {
  const ours = new Map(volumes.filter(volume => volume.provisioner === provisioner).map(one => [one.name, one]))
  const waiting = claims.filter(
    claim => claim.provisioner === provisioner && !claim.isGoing && claim.volume === '' && !ours.has(volumeName(claim)),
  )
  return {
    make: waiting.filter(claim => refusalOf(claim) === undefined),
    refuse: waiting.flatMap(claim => {
      const reason = refusalOf(claim)
      return reason === undefined ? [] : [{ claim, reason }]
    }),
    remove: [...ours.values()].filter(
      ({ phase, reclaims, isGoing }) =>
        reclaims === 'Delete' && (phase === 'Released' || phase === 'Failed') && !isGoing,
    ),
    grow: claims.flatMap(claim => {
      const volume = ours.get(claim.volume)
      return volume === undefined || claim.isGoing || quantityOf(claim.size) <= quantityOf(volume.size)
        ? []
        : [{ claim, volume }]
    }),
  }
}

/** Volumes without a claim yet, or with it: their folders are in use. */
const USED: readonly string[] = ['', 'Pending', 'Available', 'Bound']

/** What has to be done with folders of `nodes`, given the volumes that there were and those that there are. */
export function folderSteps(
  before: readonly Volume[],
  now: readonly Volume[],
  nodes: readonly string[],
): { readonly make: readonly Volume[]; readonly remove: readonly Volume[] } {
  const [had, has] = [before, now].map(volumes => new Set(volumes.map(({ name }) => name)))
  const isHere = ({ node }: Volume): boolean => nodes.includes(node)
  return {
    make: now.filter(volume => isHere(volume) && USED.includes(volume.phase) && !had?.has(volume.name)),
    remove: before.filter(volume => isHere(volume) && volume.reclaims === 'Delete' && !has?.has(volume.name)),
  }
}

function refusalOf({ isBlock, source }: Claim): string | undefined {
  if (isBlock) return 'a folder is no block device; leave volumeMode out'
  return source === '' ? undefined : `a folder cannot begin as a copy of ${source}; leave dataSource out`
}

function text(value: Json | undefined): string {
  return value === undefined || value === null ? '' : String(value)
}
