/** Phase `kubelet-start`: the kubelet's settings, and its start. */

import { commandOf } from '../cli/invocation.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { kubeletFiles } from '../kubeadm/kubelet/kubelet-files.ts'
import type { Given, Rendered, RenderingPhase } from './phase.ts'
import { deliverFiles } from './run/deliver.ts'
import { isLive } from './run/live-node.ts'
import { alone } from './run/machine-session.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { startKubelet } from './run/start-kubelet.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'cri-socket',
  'image-repository',
  'node-name',
  'patches',
  // Ours: they decide what stands in config.yaml.
  'cert-dir',
  'feature-gates',
  'service-cidr',
  'service-dns-domain',
  // Ours: where the kubelet comes from, and what it runs on.
  'artifacts',
  'cni',
  'cache-dir',
  'lock',
  'offline',
  'mirror',
  'runtime',
  'timeout',
]

export const kubeletStart: RenderingPhase = {
  ...phaseRow('kubelet-start'),
  command: {
    name: 'kubelet-start',
    about: "Write the kubelet's configuration and its flags, and start it.",
    options: OPTIONS,
    examples: [
      'kubelet-start.mts --dry-run --output-dir ./tree',
      'kubelet-start.mts --config kubeadm.yaml --artifacts ./v1.36.2',
    ],
  },
  render: ({ config, facts, apply }: Given): Rendered => {
    const { files } = kubeletFiles(config, facts, apply)
    return {
      files,
      messages: files.map(({ path }) => `[kubelet-start] Writing ${kindOf(path)} to file "${path}"`),
      warnings: [],
    }
  },
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    if (isLive(opened)) {
      await alone(call.name, `run it again, or take away what it made: ${commandOf('reset', true)}`, () =>
        startKubelet(opened, call, kubeletStart.render),
      )
    } else {
      deliverFiles(await kubeletStart.render(givenOf(opened, call)), opened, call.output)
    }
  },
}

// What a file of the kubelet is, in kubeadm's words.
function kindOf(path: string): string {
  return path.endsWith('.env') ? 'kubelet environment file with flags' : 'kubelet configuration'
}
