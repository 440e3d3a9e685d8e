/** Everything that an init writes and applies, as values. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { addonObjects, chosenAddons, registryObjects } from '../../kubeadm/objects/addon-objects.ts'
import { type ClusterObject, clusterObjectsYaml } from '../../kubeadm/objects/cluster-object.ts'
import { profileOf, profilePatch } from '../../kubeadm/profile/profile-patch.ts'
import type { FileEntry } from '../../machine/files.ts'
import { sayRendered } from '../run/deliver.ts'
import { givenOf, type OpenedPhase } from '../run/open-phase.ts'
import { renderSteps } from '../run/render-steps.ts'
import { INIT, type Moment } from './schedule.ts'

/** Files and objects that get to their places together. */
export interface Delivery {
  readonly files: readonly FileEntry[]
  readonly objects: readonly ClusterObject[]
}

export interface RenderedCluster extends Delivery {
  /** The part of it that is due at a moment. */
  readonly due: (when: Moment) => Delivery
  /** What opens the uploaded certificates; undefined when none are uploaded. */
  readonly certificateKey?: string
}

/** Renders what the configuration does not skip, saying what kubeadm says. Throws what the phases throw. */
export async function renderCluster(phase: OpenedPhase, call: Call, now: Date): Promise<RenderedCluster> {
  const { output, flags } = call
  const skipped = phase.config.init.skipPhases ?? []
  const profile = profileOf(flags)
  // A proxy that is there for the job has no place in the cluster's own Pods.
  const facts = profile === 'ci' ? { ...phase.facts, proxyEnvironment: [] } : phase.facts
  const alone = givenOf({ ...phase, facts }, call)
  const given = {
    ...alone,
    now,
    apply: (target: string, object: JsonObject) => alone.apply(target, profilePatch(profile, target, object)),
    runs: (name: string) => !isSkipped(name, skipped),
  }
  const rendered = await renderSteps(INIT, given, skipped, ({ name }, its) => sayRendered(name, its, output))
  // What is there already comes first.
  const delivery = (steps: typeof rendered): Delivery => ({
    files: [...steps.flatMap(({ kept }) => kept), ...steps.flatMap(({ files }) => files)],
    objects: steps.flatMap(({ objects }) => objects),
  })
  const ours = besides(phase.config, flags)
  const withOurs = ({ files, objects }: Delivery): Delivery => ({ files, objects: [...objects, ...ours] })
  return {
    ...withOurs(delivery(rendered)),
    due: when => {
      const due = delivery(rendered.filter(({ step }) => step.when === when))
      return when === 'api' ? withOurs(due) : due
    },
    ...(given.upload !== undefined && { certificateKey: given.upload.key }),
  }
}

/** What goes into the cluster beyond kubeadm's own objects. */
function besides({ init, kubeadm }: InitConfig, flags: Flags): ClusterObject[] {
  const { advertiseAddress } = init.localAPIEndpoint
  return [
    ...addonObjects(chosenAddons(flags.addons, profileOf(flags)), kubeadm),
    ...(flags.registry === undefined ? [] : registryObjects(flags.registry, advertiseAddress, kubeadm)),
  ]
}

/** The tree of a dry run: all files of the node, and the objects in the order of application. */
export function treeOf({ files, objects }: Delivery): FileEntry[] {
  return [...files, { path: '/cluster-objects.yaml', mode: 0o600, content: clusterObjectsYaml(objects) }]
}
