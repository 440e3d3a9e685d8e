/** Phase `mark-control-plane`: labels and taints this machine's Node as a control plane. */

import type { Taint } from '../base/kubeadm.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { controlPlaneLabels, controlPlanePatch, nodePatch } from '../kubeadm/objects/node-patch.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { unpatched } from './run/user-patches.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'node-name']

export const markControlPlane: ApplyingPhase = {
  ...phaseRow('mark-control-plane'),
  command: {
    name: 'mark-control-plane',
    about: 'Mark this node as a control plane with labels and taints.',
    options: OPTIONS,
    examples: ['mark-control-plane.mts --dry-run', 'mark-control-plane.mts --dry-run --node-name n1'],
  },
  objects: ({ config }: Given): Applied => {
    const { name, taints } = config.init.nodeRegistration
    const marking = `[mark-control-plane] Marking the node ${name} as control-plane by adding the`
    return {
      objects: [nodePatch('mark-control-plane', config, controlPlanePatch(config))],
      messages: [
        `${marking} labels: [${controlPlaneLabels(config).join(' ')}]`,
        ...(taints.length > 0 ? [`${marking} taints [${taints.map(taintText).join(' ')}]`] : []),
      ],
    }
  },
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    await deliverObjects(markControlPlane.objects(givenOf(opened, call, unpatched)), opened, call)
  },
}

// key=value:effect, as kubectl has it.
function taintText({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : value ? ':' : ''}`
}
