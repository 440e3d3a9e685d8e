/** Writes the manifests of some components for a phase script, saying what kubeadm says. */
import { loadPatches } from './user-patches.ts'
import type { Output } from '../../cli/output.ts'
import type { Phase } from './open-phase.ts'
import { isExternalAuthority } from '../../kubeadm/credentials/issue.ts'
import type { ComponentName } from '../../kubeadm/manifests/component.ts'
import { manifestFiles, staticPods } from '../../kubeadm/manifests/manifests.ts'
import { refuseRootless } from '../../kubeadm/manifests/rootless.ts'

/** Renders, patches and writes; all of them or none. Throws what rendering and writing throw. */
export function deliverManifests(
  name: string,
  components: readonly ComponentName[],
  phase: Phase,
  output: Output,
): void {
  const { config, facts, read, dryRun } = phase
  if (!dryRun) refuseRootless(name, config)
  const apply = loadPatches(phase, output)
  const pods = staticPods(config, facts, components, { externalCa: isExternalAuthority(config, 'ca', read) })
  const files = manifestFiles(pods, apply)
  for (const { progress, messages } of pods) {
    output.say(progress)
    for (const message of messages) output.warn(message)
  }
  phase.write(files)
  if (dryRun) output.say(`[${name}] The manifests lie below "${phase.target}"`)
}
