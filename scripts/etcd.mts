#!/usr/bin/env -S npx zx
/** Writes the manifest of a local etcd. */
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { deliverManifests } from '../lib/phases/run/deliver-manifests.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'cert-dir',
  'image-repository',
  'patches',
  'feature-gates',
  // Ours: they stand in etcd's URLs and in its name.
  'apiserver-advertise-address',
  'node-name',
]

export const etcd: Script = script(
  import.meta,
  {
    name: 'etcd',
    about: 'Generate the static Pod manifest of a local, single-node etcd.',
    options: OPTIONS,
    subcommands: [{ name: 'local', about: 'Generate the manifest of a local etcd', options: OPTIONS }],
    examples: [
      'etcd.mts local --dry-run --output-dir ./tree',
      'etcd.mts local --node-name n1 --apiserver-advertise-address 10.0.0.5 --dry-run',
    ],
  },
  async call => {
    const phase = openPhase(call)
    const { local } = phase.config.cluster.etcd
    if (local === undefined) {
      call.output.say('[etcd] External etcd mode. Skipping the creation of a manifest for local etcd')
      return
    }
    if (!phase.dryRun && phase.target === '/') {
      const { folderChange } = await import('../lib/phases/run/planned-changes.ts')
      const { makeDataFolder } = await import('../lib/phases/run/data-folder.ts')
      const { record } = await import('../lib/phases/run/record.ts')
      record([folderChange(local.dataDir)])
      makeDataFolder(phase.config)
    }
    deliverManifests('etcd', ['etcd'], phase, call.output)
  },
)
