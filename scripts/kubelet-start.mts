#!/usr/bin/env -S npx zx
/** Writes the kubelet's settings. */
import { loadPatches } from '../lib/cluster/patches.ts'
import { kubeletFiles } from '../lib/kubelet/files.ts'
import type { OptionName } from '../lib/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phase.ts'
import { type Script, script } from '../lib/script.ts'

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
]

export const kubeletStart: Script = script(
  import.meta,
  {
    name: 'kubelet-start',
    about: "Write the kubelet's configuration and its flags.",
    options: OPTIONS,
    examples: ['kubelet-start.mts --dry-run --output-dir ./tree', 'kubelet-start.mts --config kubeadm.yaml'],
  },
  async call => {
    const phase = openPhase(call)
    const { files } = kubeletFiles(phase.config, phase.facts, loadPatches(phase, call.output))
    phase.write(files)
    for (const { path } of files) call.output.say(`[kubelet-start] Writing ${kindOf(path)} to file "${path}"`)
    if (phase.dryRun) call.output.say(`[dryrun] Wrote ${files.length} files below "${phase.target}"`)
    else
      call.output.say(
        '[kubelet-start] Please ensure the kubelet is (re)started: this phase alone leaves its service be',
      )
  },
)

function kindOf(path: string): string {
  return path.endsWith('.env') ? 'kubelet environment file with flags' : 'kubelet configuration'
}
