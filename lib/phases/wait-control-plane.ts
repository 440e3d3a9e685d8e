/** Phase `wait-control-plane`: until the control plane of this machine is up. */
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { contextOf } from '../cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../cluster/diagnose/machine-context.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { MANIFESTS_FOLDER } from '../kubeadm/manifests/component.ts'
import { clusterObjects } from '../kubeadm/objects/cluster-objects.ts'
import { serviceManager } from '../machine/service/manager.ts'
import type { Phase } from './phase.ts'
import { waitForControlPlane } from './run/await-control-plane.ts'
import { withApi } from './run/cluster-access.ts'
import { openPhase } from './run/open-phase.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'kubeconfig', 'timeout']

export const waitControlPlane: Phase = {
  ...phaseRow('wait-control-plane'),
  command: {
    name: 'wait-control-plane',
    about: 'Wait until the API server, the controller manager and the scheduler of this machine are healthy.',
    options: OPTIONS,
    examples: ['wait-control-plane.mts', 'wait-control-plane.mts --timeout 2m'],
  },
  run: async (call: Call): Promise<void> => {
    const { flags, name, output } = call
    const opened = openPhase(call)
    const { config, facts } = opened
    const objects = clusterObjects(config, facts, { caCertificate: '', now: new Date() }, [name])
    output.say(
      `[${name}] ${opened.dryRun ? 'Would wait' : 'Waiting'} for the kubelet to boot up the control plane as static Pods from directory "${MANIFESTS_FOLDER}"`,
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
