#!/usr/bin/env -S npx zx
/** Waits until the control plane of this machine is up. */
import { contextOf } from '../lib/cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../lib/cluster/diagnose/machine-context.ts'
import { waitForControlPlane } from '../lib/phases/run/await-control-plane.ts'
import { clusterObjects } from '../lib/kubeadm/objects/cluster-objects.ts'
import { withApi } from '../lib/phases/run/deliver-objects.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { serviceManager } from '../lib/machine/service/manager.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'kubeconfig', 'timeout']

const MANIFESTS = '/etc/kubernetes/manifests'

export const waitControlPlane: Script = script(
  import.meta,
  {
    name: 'wait-control-plane',
    about: 'Wait until the API server, the controller manager and the scheduler of this machine are healthy.',
    options: OPTIONS,
    examples: ['wait-control-plane.mts', 'wait-control-plane.mts --timeout 2m'],
  },
  async call => {
    const { flags, name, output } = call
    const phase = openPhase(call)
    const { config, facts } = phase
    const objects = clusterObjects(config, facts, { caCertificate: '', now: new Date() }, [name])
    output.say(
      `[${name}] ${phase.dryRun ? 'Would wait' : 'Waiting'} for the kubelet to boot up the control plane as static Pods from directory "${MANIFESTS}"`,
    )
    if (phase.dryRun) {
      for (const object of objects) output.say(`[dryrun] Would apply ${object.resource}/${object.name}`)
      return
    }
    const timeout = flags.timeout ?? config.init.timeouts.controlPlaneComponentHealthCheck
    await withApi(phase, { name, flags: { ...flags, timeout } }, (api, deadline) =>
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
)
