/** Phase `wait-control-plane`: until the control plane of this machine is up. */
import { KUBERNETES } from '../base/paths.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { contextOf } from '../cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../cluster/diagnose/machine-context.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { adminObjects } from '../kubeadm/objects/admin-binding.ts'
import { created } from '../kubeadm/objects/cluster-object.ts'
import { serviceManager } from '../machine/service/manager.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { waitForControlPlane } from './run/await-control-plane.ts'
import { withApi } from './run/cluster-access.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { unpatched } from './run/user-patches.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'kubeconfig', 'timeout']

export const waitControlPlane: ApplyingPhase = {
  ...phaseRow('wait-control-plane'),
  command: {
    name: 'wait-control-plane',
    about: 'Wait until the API server, the controller manager and the scheduler of this machine are healthy.',
    options: OPTIONS,
    examples: ['wait-control-plane.mts', 'wait-control-plane.mts --timeout 2m'],
  },
  // kubeadm's dry run does not show this one: it is made while the client is set up.
  objects: ({ config }: Given): Applied => ({
    objects: created('wait-control-plane', adminObjects(config.kubeadm), config.kubeadm),
    messages: [],
  }),
  run: async (call: Call): Promise<void> => {
    const { flags, name, output } = call
    const opened = openPhase(call)
    const { config } = opened
    const { objects } = waitControlPlane.objects(givenOf(opened, call, unpatched))
    output.say(
      `[${name}] ${opened.dryRun ? 'Would wait' : 'Waiting'} for the kubelet to boot up the control plane as static Pods from directory "${KUBERNETES.manifests}"`,
    )
    if (opened.dryRun) {
      for (const object of objects) output.say(`[dryrun] Would apply ${object.resource}/${object.name}`)
      return
    }
    const timeout = flags.timeout ?? config.init.timeouts.controlPlaneComponentHealthCheck
    await withApi(opened, { name, flags: { ...flags, timeout } }, (api, deadline) =>
      waitForControlPlane({
        api,
        config,
        objects,
        deadline,
        say: output.say,
        watched: contextOf(config, serviceManager(), clusterSocket() ?? config.init.nodeRegistration.criSocket, api),
        onPass: gate => output.say(`[${name}] ${gate.name} after ${(gate.afterMs / 1000).toFixed(1)} s`),
      }),
    )
  },
}
