/** Phases `control-plane-join/mark-control-plane` and `wait-control-plane` of a join. */
import { timerMilliseconds } from '../../base/duration.ts'
import { applyObjects } from '../../cluster/api/apply-objects.ts'
import { contextOf } from '../../cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { markControlPlane } from '../mark-control-plane.ts'
import { waitForControlPlane } from '../run/await-control-plane.ts'
import { givenOf } from '../run/open-phase.ts'
import { unpatched } from '../run/user-patches.ts'
import { openControlPlaneApi, openLocalApi } from './admin-access.ts'
import type { JoinRun } from './join-run.ts'

/** Waits for the Node: it is an error when it does not come. */
export async function markNode(run: JoinRun): Promise<void> {
  const node = await run.node()
  const { objects, messages } = markControlPlane.objects(givenOf(node, run.call, unpatched))
  for (const message of messages) run.call.output.say(`${run.dryRun ? '[dryrun] Would say: ' : ''}${message}`)
  if (run.dryRun) return
  const api = openControlPlaneApi(node)
  try {
    await applyObjects(api, objects, run.deadline)
  } finally {
    api.close()
  }
}

export async function waitForOwnControlPlane(run: JoinRun): Promise<void> {
  const node = await run.node()
  const { config } = node
  if (run.dryRun) {
    run.call.output.say("[dryrun] Would wait for this node's control plane")
    return
  }
  const api = openLocalApi(node)
  const limit = AbortSignal.timeout(timerMilliseconds(config.init.timeouts.controlPlaneComponentHealthCheck))
  const task = run.call.output.begin('control plane', "[wait-control-plane] Waiting for this node's control plane")
  try {
    await waitForControlPlane({
      api,
      config,
      objects: [],
      deadline: AbortSignal.any([limit, run.deadline]),
      say: run.call.output.say,
      watched: contextOf(config, serviceManager(), clusterSocket() ?? config.init.nodeRegistration.criSocket, api),
      onPass: () => {},
    })
    run.timings.mark('control plane')
    task.done('[wait-control-plane] The API server, the controller manager and the scheduler are healthy')
  } finally {
    api.close()
  }
}
