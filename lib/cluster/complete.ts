/** From a kubelet that runs the API server to a whole cluster: what goes in, in which order, and when it is ready. */
import type { Api } from '../api/client.ts'
import type { InitConfig } from '../config/types.ts'
import { within } from '../deadline.ts'
import { KubestepError } from '../errors.ts'
import { type FileEntry, writeFiles } from '../files.ts'
import { openApiService } from '../network/api-service.ts'
import type { ClusterObject } from '../objects/cluster-object.ts'
import { apiServiceOf, gateContext } from '../ready/context.ts'
import type { Gate } from '../ready/gates.ts'
import { type GateResult, waitForGates } from '../ready/wait.ts'
import { waitForApi } from './admin-api.ts'
import { applyObjects } from './apply-objects.ts'
import { makeControllerAccounts } from './controller-accounts.ts'
import { makeFirstAccounts } from './first-accounts.ts'
import { giveStartingRights, takeStartingRights } from './starting-rights.ts'

export interface Beginning {
  readonly config: InitConfig
  readonly api: Api
  /** Comes true when the runtime has every image. */
  readonly images: Promise<void>
  /** Manifests for when the API server answers. */
  readonly late: readonly FileEntry[]
  readonly objects: readonly ClusterObject[]
  /** Certificate of the cluster's CA, PEM. */
  readonly ca: string
  readonly gates: readonly Gate[]
  readonly deadline: AbortSignal
  readonly mark: (reached: string) => void
}

/** Completes the cluster. Throws a KubestepError that names the gate that was not reached. */
export async function completeCluster(beginning: Beginning): Promise<readonly GateResult[]> {
  const { config, api, images, late, objects, ca, gates, deadline, mark } = beginning
  await within(deadline, 'init: cannot load the images', images)
  mark('all images')
  await waitForApi(api, deadline)
  mark('API answers')

  // Controllers, the scheduler and CoreDNS start while the API server still gets ready, as if all were there.
  await giveStartingRights(api)
  writeFiles('/', late)
  const applying = applyObjects(api, objects, deadline)
  applying.catch(() => {})
  // What cannot be made early the controller manager makes later.
  makeFirstAccounts(api, config.version, ca, deadline).catch(() => {})
  const context = gateContext(config, api)
  const closeApiService = context.hasProxy ? await openApiService(apiServiceOf(config, context)) : undefined
  try {
    await waitForApi(api, deadline, '/readyz')
    await Promise.all([takeStartingRights(api), makeControllerAccounts(api).catch(() => {})])
    await applying
    mark('objects applied')
    const results = await waitForGates(gates, context, deadline, ({ name }) => mark(name))
    const failed = results.find(({ passed }) => !passed)
    if (failed !== undefined) throw new KubestepError(`init: cannot reach "${failed.name}" in time: ${failed.reason}`)
    return results
  } finally {
    await closeApiService?.()
  }
}
