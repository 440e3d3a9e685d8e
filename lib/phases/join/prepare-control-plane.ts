/** The other sub-phases of `control-plane-prepare`: this node's credentials and static Pods, by the phases of an init. */
import { within } from '../../base/deadline.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
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

/** Of a whole join they come when there is an etcd for them (`makeManifestsLater`). */
export async function makeManifests(run: JoinRun): Promise<void> {
  if (!comesLater(run)) await render(run, controlPlane)
}

/**
 * An API server whose etcd has no vote yet ends, and the kubelet lets it wait longer each time; and the kubelet pulls
 * what is about to be loaded.
 */
export async function makeManifestsLater(run: JoinRun): Promise<void> {
  if (!comesLater(run)) return
  await render(run, controlPlane, ['apiserver'])
  await within(run.deadline, 'cannot load the images', (await run.supply()).images.controllers)
  await render(run, controlPlane, ['controller-manager', 'scheduler'])
}

function comesLater({ isWhole, dryRun, config: { skipPhases = [] } }: JoinRun): boolean {
  const needed = ['control-plane-prepare/control-plane', 'kubelet-start', 'etcd-join']
  return isWhole && !dryRun && !needed.some(name => isSkipped(name, skipPhases))
}

async function render(run: JoinRun, phase: RenderingPhase, names?: readonly string[]): Promise<void> {
  const node = await run.node()
  const { config } = run.dryRun ? node : await run.look()
  const given = { ...givenOf(node, run.call), config }
  deliverFiles(await phase.render(given, names), node, run.call.output)
}
