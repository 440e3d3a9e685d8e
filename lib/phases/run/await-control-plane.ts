/** Waiting for a control plane that somebody else has started. */

import { KubestepError, messageOf, WaitError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { waitForApi } from '../../cluster/api/admin-api.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObjects } from '../../cluster/api/apply-objects.ts'
import { type Broken, brokenText } from '../../cluster/diagnose/broken-link.ts'
import type { DiagnosisContext } from '../../cluster/diagnose/diagnosis-context.ts'
import { firstBroken } from '../../cluster/diagnose/link-chain.ts'
import { watchForFailure } from '../../cluster/diagnose/watch-failure.ts'
import { chosenGates, gateContext } from '../../cluster/ready/gate-context.ts'
import { type GateResult, waitForGates } from '../../cluster/ready/wait-gates.ts'
import type { ClusterObject } from '../../kubeadm/objects/cluster-object.ts'
import { helpChanged } from './changed-manifests.ts'

export interface ControlPlaneWait {
  readonly api: Api
  readonly config: InitConfig
  /** What goes in as soon as the API server answers: the rights of admin.conf. */
  readonly objects: readonly ClusterObject[]
  readonly watched: DiagnosisContext
  readonly deadline: AbortSignal
  readonly onPass: (result: GateResult) => void
  /** Is told what is done about manifests that were changed. */
  readonly say: (line: string) => void
}

/**
 * Ends when API server, controller manager and scheduler are healthy. Throws a KubestepError with the first broken
 * link when the time is up, or as soon as something is broken for good.
 */
export async function waitForControlPlane(wait: ControlPlaneWait): Promise<void> {
  const { api, config, objects, watched, onPass, say } = wait
  const stop = new AbortController()
  // What is broken for good ends the waits as if their time were up.
  const deadline = AbortSignal.any([wait.deadline, stop.signal])
  let broken: Broken | undefined
  const watching = watchForFailure(watched, stop.signal).then(found => {
    broken = found
    if (found !== undefined) stop.abort()
  })
  const helping = helpChanged(watched, api, stop.signal, say)
  try {
    await waitForApi(api, deadline)
    const gates = chosenGates('api,control-plane')
    const results = await waitForGates(gates, gateContext(config, api), deadline, { onPass })
    const failed = results.find(({ passed }) => !passed)
    if (failed !== undefined) throw new WaitError(`cannot reach "${failed.name}" in time: ${failed.reason}`)
    await applyObjects(api, objects, deadline)
  } catch (error) {
    stop.abort()
    await watching
    if (!(error instanceof KubestepError)) throw error
    // What a step says is the cause itself.
    const cause = broken ?? (error instanceof WaitError ? await firstBroken(watched) : undefined)
    const text = cause === undefined ? '' : `\nwait-control-plane: ${brokenText(cause)}`
    throw new KubestepError(`${messageOf('wait-control-plane', error)}${text}`, { cause: error })
  } finally {
    stop.abort()
    await helping
  }
}
