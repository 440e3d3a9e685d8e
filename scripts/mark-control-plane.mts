#!/usr/bin/env -S npx zx
/** Labels and taints this machine's Node as a control plane. */
import type { Taint } from '../lib/base/kubeadm.ts'
import { clusterObjects } from '../lib/kubeadm/objects/cluster-objects.ts'
import { deliverObjects } from '../lib/phases/run/deliver-objects.ts'
import { controlPlaneLabels } from '../lib/kubeadm/objects/node-patch.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'node-name']

export const markControlPlane: Script = script(
  import.meta,
  {
    name: 'mark-control-plane',
    about: 'Mark this node as a control plane with labels and taints.',
    options: OPTIONS,
    examples: ['mark-control-plane.mts --dry-run', 'mark-control-plane.mts --dry-run --node-name n1'],
  },
  async call => {
    const phase = openPhase(call)
    const { config, facts } = phase
    const { name, taints } = config.init.nodeRegistration
    const marking = `[mark-control-plane] Marking the node ${name} as control-plane by adding the`
    const messages = [
      `${marking} labels: [${controlPlaneLabels(config).join(' ')}]`,
      ...(taints.length > 0 ? [`${marking} taints [${taints.map(taintText).join(' ')}]`] : []),
    ]
    const inputs = { caCertificate: '', now: new Date() }
    await deliverObjects(clusterObjects(config, facts, inputs, ['mark-control-plane']), messages, phase, call)
  },
)

// key=value:effect, as kubectl has it.
function taintText({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : value ? ':' : ''}`
}
