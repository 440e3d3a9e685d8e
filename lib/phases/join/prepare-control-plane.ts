/** The other sub-phases of `control-plane-prepare`: this node's credentials and static Pods, by the phases of an init. */
import { LEAVES, SERVICE_ACCOUNT } from '../../kubeadm/credentials/certificates.ts'
import { certs } from '../certs.ts'
import { controlPlane } from '../control-plane.ts'
import { kubeconfig } from '../kubeconfig.ts'
import type { RenderingPhase } from '../phase.ts'
import { deliverFiles } from '../run/deliver.ts'
import { givenOf } from '../run/open-phase.ts'
import type { JoinRun } from './join-run.ts'

/** No CA is made here: one that is missing is a fault. */
export function makeCerts(run: JoinRun): Promise<void> {
  return render(run, certs, [...LEAVES.map(({ name }) => name), SERVICE_ACCOUNT])
}

export function makeKubeconfigs(run: JoinRun): Promise<void> {
  return render(run, kubeconfig, ['admin', 'controller-manager', 'scheduler'])
}

export function makeManifests(run: JoinRun): Promise<void> {
  return render(run, controlPlane)
}

async function render(run: JoinRun, phase: RenderingPhase, names?: readonly string[]): Promise<void> {
  const node = await run.node()
  const { config } = run.dryRun ? node : await run.look()
  const given = { ...givenOf(node, run.call), config }
  deliverFiles(await phase.render(given, names), node, run.call.output)
}
