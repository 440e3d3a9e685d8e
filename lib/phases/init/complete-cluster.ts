/** From a kubelet that runs the API server to a whole cluster: what goes in, in which order, and when it is ready. */

import { within } from '../../base/deadline.ts'
import { WaitError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { secondsText } from '../../base/stopwatch.ts'
import type { Output } from '../../cli/output.ts'
import type { Task } from '../../cli/tasks.ts'
import { waitForApi } from '../../cluster/api/admin-api.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObjects } from '../../cluster/api/apply-objects.ts'
import { apiServiceOf, gateContext } from '../../cluster/ready/gate-context.ts'
import type { Gate, GateContext } from '../../cluster/ready/gates.ts'
import { type GateResult, waitForGates } from '../../cluster/ready/wait-gates.ts'
import { writeFiles } from '../../machine/files.ts'
import { openApiService } from '../../machine/network/api-service.ts'
import type { Cri } from '../../supply/cri/cri-client.ts'
import type { ImageSteps } from './cluster-images.ts'
import { makeControllerAccounts } from './controller-accounts.ts'
import { makeFirstAccounts } from './first-accounts.ts'
import { holdControllerManager } from './held-controllers.ts'
import type { RenderedCluster } from './render-cluster.ts'
import type { Moment } from './schedule.ts'
import { giveStartingRights, takeStartingRights } from './starting-rights.ts'

export interface Beginning {
  readonly config: InitConfig
  readonly api: Api
  readonly cri: Cri
  readonly images: ImageSteps
  readonly rendered: RenderedCluster
  /** Certificate of the cluster's CA, PEM. */
  readonly ca: string
  readonly gates: readonly Gate[]
  /** What is started while the gates are waited for. */
  readonly startBeside: () => Promise<void>
  readonly deadline: AbortSignal
  /** Notes that something has been reached now; gives when that is. */
  readonly mark: (reached: string) => number
  readonly output: Output
}

/** Completes the cluster. Throws a KubestepError that names the gate that was not reached. */
export async function completeCluster(beginning: Beginning): Promise<readonly GateResult[]> {
  const { config, api, cri, images, rendered, ca, gates, startBeside, deadline, mark, output } = beginning
  const server = output.begin('API server')
  await waitForApi(api, deadline, '/version', server.tell)
  server.done(`[control-plane] The API server answers after ${secondsText(mark('API answers'))}`)

  // Controllers, the scheduler and CoreDNS start while the API server still gets ready, as if all were there.
  const rights = giveStartingRights(api)
  const put = async (when: Moment): Promise<void> => {
    const { files, objects } = rendered.due(when)
    writeFiles('/', files)
    await rights
    await applyObjects(api, objects, deadline)
  }
  const goOn = holdControllerManager(cri, images.controllers)
  const applying = Promise.all([
    put('api'),
    images.controllers.then(() => put('controllers')),
    images.addons.then(() => put('addons')),
  ])
  applying.catch(() => {})
  // What cannot be made early the controller manager makes later.
  makeFirstAccounts(api, config.version, ca, deadline).catch(() => {})
  let isIn = false
  images.all.then(
    () => {
      isIn = true
    },
    () => {},
  )
  const context = { ...gateContext(config, api), imagesIn: () => isIn }
  const closeApiService = context.hasProxy ? await openApiService(apiServiceOf(config, context)) : undefined
  try {
    const putting = output.begin('objects')
    await waitForApi(api, deadline, '/readyz', putting.tell)
    goOn()
    await Promise.all([takeStartingRights(api), makeControllerAccounts(api).catch(() => {})])
    await within(deadline, 'cannot load the images', Promise.all([images.controllers, images.addons]))
    await applying
    putting.done(`[init] Applied ${rendered.objects.length} objects after ${secondsText(mark('objects applied'))}`)
    const [results] = await Promise.all([reachGates(gates, context, beginning), startBeside()])
    await within(deadline, 'cannot load the images', images.all)
    return results
  } finally {
    goOn()
    await closeApiService?.()
  }
}

/** Waits for the gates, and says of each when it holds. Throws a WaitError that names the first that was not reached. */
async function reachGates(
  gates: readonly Gate[],
  context: GateContext,
  { deadline, mark, output }: Beginning,
): Promise<readonly GateResult[]> {
  const waits = new Map<string, Task>()
  const results = await waitForGates(gates, context, deadline, {
    onLook: ({ name }, reason) => {
      const wait = waits.get(name) ?? output.begin(name)
      waits.set(name, wait)
      wait.tell(reason)
    },
    onPass: ({ name }) => {
      const wait = waits.get(name) ?? output.begin(name)
      wait.done(`[ready] ${name} after ${secondsText(mark(name))}`)
    },
  })
  const failed = results.find(({ passed }) => !passed)
  if (failed !== undefined) throw new WaitError(`cannot reach "${failed.name}" in time: ${failed.reason}`)
  return results
}
