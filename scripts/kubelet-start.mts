#!/usr/bin/env -S npx zx
/** Writes the kubelet's settings and starts it. */
import { loadPatches } from '../lib/phases/run/user-patches.ts'
import { alone } from '../lib/phases/init/session.ts'
import { commandOf } from '../lib/cli/invocation.ts'
import { kubeletFiles } from '../lib/kubeadm/kubelet/kubelet-files.ts'
import { isLive } from '../lib/phases/run/live-node.ts'
import { kindOf, startKubelet } from '../lib/phases/run/start-kubelet.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'

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

export const kubeletStart: Script = script(
  import.meta,
  {
    name: 'kubelet-start',
    about: "Write the kubelet's configuration and its flags, and start it.",
    options: OPTIONS,
    examples: [
      'kubelet-start.mts --dry-run --output-dir ./tree',
      'kubelet-start.mts --config kubeadm.yaml --artifacts ./v1.36.2',
    ],
  },
  async call => {
    const phase = openPhase(call)
    if (isLive(phase)) {
      await alone(call.name, `run it again, or take away what it made: ${commandOf('reset', true)}`, () =>
        startKubelet(phase, call),
      )
      return
    }
    const { files } = kubeletFiles(phase.config, phase.facts, loadPatches(phase, call.output))
    phase.write(files)
    for (const { path } of files) call.output.say(`[kubelet-start] Writing ${kindOf(path)} to file "${path}"`)
    if (phase.dryRun) call.output.say(`[dryrun] Wrote ${files.length} files below "${phase.target}"`)
  },
)
