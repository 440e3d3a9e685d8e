/** The other sub-phases of `control-plane-prepare`: this node's credentials and static Pods, by the phases of an init. */
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

/** Of a whole join they come when etcd does (`makeManifestsLater`). */
export async function makeManifests(run: JoinRun): Promise<void> {
  if (!(await waitsForEtcd(run))) await render(run, controlPlane)
}

/** An API server whose etcd has no vote yet ends, and the kubelet lets it wait longer each time. */
export async function makeManifestsLater(run: JoinRun): Promise<void> {
  if (await waitsForEtcd(run)) await render(run, controlPlane)
}

async function waitsForEtcd({ isWhole, dryRun, config: { skipPhases = [] }, node }: JoinRun): Promise<boolean> {
  const isOff = ['control-plane-prepare/control-plane', 'etcd-join'].some(name => isSkipped(name, skipPhases))
  return isWhole && !dryRun && !isOff && (await node()).config.cluster.etcd.local !== undefined
}

async function render(run: JoinRun, phase: RenderingPhase, names?: readonly string[]): Promise<void> {
  const node = await run.node()
  const { config } = run.dryRun ? node : await run.look()
  const given = { ...givenOf(node, run.call), config }
  deliverFiles(await phase.render(given, names), node, run.call.output)
}
