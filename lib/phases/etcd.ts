/** Phase `etcd`: the manifest of a local etcd. */
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { renderManifests } from '../kubeadm/manifests/manifests.ts'
import { refuseRootless } from '../kubeadm/manifests/rootless.ts'
import type { Given, Rendered, RenderingPhase } from './phase.ts'
import { deliverFiles } from './run/deliver.ts'
import { isLive } from './run/live-node.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { RESTORE_SUBCOMMAND, restoreSnapshot } from './snapshot/restore-snapshot.ts'
import { SAVE_SUBCOMMAND, saveSnapshot } from './snapshot/save-snapshot.ts'

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

export const etcd: RenderingPhase = {
  ...phaseRow('etcd'),
  command: {
    name: 'etcd',
    about: 'Generate the static Pod manifest of a local, single-node etcd.',
    options: OPTIONS,
    subcommands: [
      { name: 'local', about: 'Generate the manifest of a local etcd', options: OPTIONS },
      SAVE_SUBCOMMAND,
      RESTORE_SUBCOMMAND,
    ],
    examples: [
      'etcd.mts local --dry-run --output-dir ./tree',
      'etcd.mts snapshot save /var/backups/etcd.db',
      'etcd.mts local --node-name n1 --apiserver-advertise-address 10.0.0.5 --dry-run',
    ],
  },
  render: (given: Given): Rendered => renderManifests(given.config.cluster.etcd.local ? ['etcd'] : [], given),
  run: async (call: Call): Promise<void> => {
    if (call.subcommand === SAVE_SUBCOMMAND.name) return saveSnapshot(call)
    if (call.subcommand === RESTORE_SUBCOMMAND.name) return restoreSnapshot(call)
    const opened = openPhase(call)
    const { local } = opened.config.cluster.etcd
    if (local === undefined) {
      call.output.say('[etcd] External etcd mode. Skipping the creation of a manifest for local etcd')
      return
    }
    if (isLive(opened)) {
      const { folderChange } = await import('./run/planned-changes.ts')
      const { makeDataFolder } = await import('./run/data-folder.ts')
      const { record } = await import('./run/record-changes.ts')
      record([folderChange(local.dataDir)])
      makeDataFolder(opened.config)
    }
    if (!opened.dryRun) refuseRootless('etcd', opened.config)
    deliverFiles(await etcd.render(givenOf(opened, call)), opened, call.output)
  },
}
