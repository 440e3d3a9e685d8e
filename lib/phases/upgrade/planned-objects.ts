/** The objects of a cluster as the new version has them, with what its users have changed of the present ones. */
import { isObject, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { keepingChanges } from '../../cluster/api/kept-changes.ts'
import { nameOf, objectPath } from '../../cluster/api/resources.ts'
import { imageTag } from '../../cluster/api/running-versions.ts'
import { issueCredentials } from '../../kubeadm/credentials/issue.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import type { ClusterObject } from '../../kubeadm/objects/cluster-object.ts'
import { migrateCorefile } from '../../kubeadm/objects/corefile-migration.ts'
import { type Edit, keepEdits } from '../../kubeadm/upgrade/kept-edits.ts'
import { addon } from '../addon.ts'
import { bootstrapToken } from '../bootstrap-token.ts'
import type { ApplyingPhase, Given } from '../phase.ts'
import { uploadConfig } from '../upload-config.ts'
import type { FilePlan } from './planned-files.ts'
import { readHere } from './upgrade-outlook.ts'

export interface PlannedObject extends ClusterObject {
  /** As it is in the cluster; undefined where there is none. */
  readonly before: JsonObject | undefined
  /** As the server would store it, without what is the server's own. */
  readonly after: JsonObject
  readonly edits: readonly Edit[]
}

type ObjectPlan = Pick<FilePlan, 'addonsFrom' | 'to' | 'facts' | 'apply'>

/** Source: kubeadm cmd/phases/upgrade/apply/bootstraptoken.go (v1.36): tokens and cluster-info stay as they are. */
function isUpgraded({ phase, resource }: ClusterObject): boolean {
  return phase !== 'bootstrap-token' || !['configmaps', 'secrets'].includes(resource)
}

const PHASES: Readonly<Record<string, ApplyingPhase>> = {
  'upload-config': uploadConfig,
  'bootstrap-token': bootstrapToken,
  addon,
}

/** What a step applies with a configuration, as its phase does in an init. */
function objectsOf(
  { facts }: ObjectPlan,
  config: InitConfig,
  apply: ObjectPlan['apply'],
): (step: string) => readonly ClusterObject[] {
  const given: Given = {
    config,
    facts,
    read: readHere,
    readCredential: readHere,
    place: path => path,
    externalCa: false,
    issue: issueCredentials,
    apply,
    now: new Date(),
    runs: () => false,
    access: { server: '', caCertificate: '' },
  }
  return step => {
    const [phase = '', sub] = step.split('/')
    return PHASES[phase]?.objects(given, sub === undefined ? undefined : [sub]).objects ?? []
  }
}

/** What goes into the API server for the given steps, and what is there now. Throws an ApiError. */
export async function plannedObjects(
  api: Api,
  plan: ObjectPlan,
  steps: readonly string[],
): Promise<readonly PlannedObject[]> {
  const [old, fresh] = [
    objectsOf(plan, plan.addonsFrom, (_target, object) => object),
    objectsOf(plan, plan.to, plan.apply),
  ].map(of => steps.flatMap(of).filter(isUpgraded))
  return Promise.all(
    (fresh ?? [])
      .filter(({ verb }) => verb === 'CREATE')
      .map(async row => {
        const before = await api.get(objectPath(nameOf(row.object)))
        if (before === undefined) return { ...row, before, after: row.object, edits: [] }
        const base = old?.find(other => other.resource === row.resource && other.name === row.name)?.object
        const { object, edits } = await withTheirs(api, plan, row, before, base)
        return { ...row, object, before, edits, after: plain((await filledIn(api, object, before)) ?? object) }
      }),
  )
}

const WORKLOADS: readonly string[] = ['deployments', 'daemonsets']

async function withTheirs(
  api: Api,
  { addonsFrom, to }: ObjectPlan,
  { resource, name, object }: ClusterObject,
  before: JsonObject,
  base: JsonObject | undefined,
): Promise<{ readonly object: JsonObject; readonly edits: readonly Edit[] }> {
  if (resource === 'configmaps' && name === 'coredns')
    return { object: await corefileFor(api, object, before, addonsFrom, to), edits: [] }
  if (!WORKLOADS.includes(resource) || base === undefined) return { object, edits: [] }
  // What the server fills in is nobody's change: it is asked what it would make of the present version's.
  const [filledBase, filledOurs] = await Promise.all([filledIn(api, base, before), filledIn(api, object, before)])
  if (filledBase === undefined || filledOurs === undefined) return { object, edits: [] }
  const { value, edits } = keepEdits(plain(filledBase), plain(before), plain(filledOurs))
  return { object: value, edits }
}

/** The object with all that the server would fill in; undefined where it does not say. Nothing is stored. */
async function filledIn(api: Api, object: JsonObject, before: JsonObject): Promise<JsonObject | undefined> {
  const { resourceVersion } = isObject(before.metadata) ? before.metadata : {}
  const versioned = {
    ...object,
    metadata: { ...(object.metadata as JsonObject), resourceVersion: resourceVersion ?? '' },
  }
  const { status, body } = await api.send('PUT', `${objectPath(nameOf(object))}?dryRun=All`, versioned)
  return status < 300 ? (JSON.parse(body) as JsonObject) : undefined
}

/** Users' own Corefiles stay, but for what the new CoreDNS does not take any more; the old text stays beside it. */
async function corefileFor(
  api: Api,
  object: JsonObject,
  before: JsonObject,
  from: InitConfig,
  to: InitConfig,
): Promise<JsonObject> {
  if ((await keepingChanges(api, object)) !== undefined) return object
  const data = isObject(before.data) ? before.data : {}
  const text = String(data.Corefile)
  const tag = (config: InitConfig): string => imageTag({ containers: [{ image: imageOf('coredns', config) }] })
  const migrated = migrateCorefile(text, tag(from), tag(to))
  const changed = migrated === text ? {} : { Corefile: migrated, 'Corefile-backup': text }
  return { ...object, data: { ...data, ...changed } }
}

/** What the server and its controllers keep in every object. */
const OF_THE_SERVER: readonly string[] = [
  'uid',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'managedFields',
  'selfLink',
]
const OF_CONTROLLERS: readonly string[] = [
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
]

/** An object without what the server and its controllers keep in it. */
export function plain({ status: _, ...object }: JsonObject): JsonObject {
  const { annotations, ...metadata } = without(isObject(object.metadata) ? object.metadata : {}, OF_THE_SERVER)
  const kept = without(isObject(annotations) ? annotations : {}, OF_CONTROLLERS)
  return { ...object, metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) } }
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
