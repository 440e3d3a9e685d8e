/** Phase `upload-config`: puts the configurations of kubeadm and of the kubelets into the cluster. */

import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { clusterSocket } from '../cluster/diagnose/machine-context.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { clusterObjects } from '../kubeadm/objects/cluster-objects.ts'
import { kubeletConfigMapName } from '../kubeadm/objects/upload-config-objects.ts'
import type { Phase } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { adaptedConfig, isLive } from './run/live-node.ts'
import { openPhase } from './run/open-phase.ts'
import { loadPatches } from './run/user-patches.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'cri-socket', 'kubeconfig', 'patches']

export const uploadConfig: Phase = {
  ...phaseRow('upload-config'),
  command: {
    name: 'upload-config',
    about: 'Upload the configurations of kubeadm and of the kubelets to ConfigMaps.',
    options: OPTIONS,
    subcommands: [
      { name: 'all', about: 'Upload all configuration to ConfigMaps' },
      { name: 'kubeadm', about: 'Upload the kubeadm ClusterConfiguration to a ConfigMap' },
      { name: 'kubelet', about: 'Upload the kubelet configuration to a ConfigMap' },
    ],
    examples: ['upload-config.mts --dry-run', 'upload-config.mts kubelet --dry-run --config kubeadm.yaml'],
  },
  run: async (call: Call): Promise<void> => {
    const phase = openPhase(call)
    const { facts } = phase
    // What nodes join by is what this machine's kubelet runs with.
    const config = isLive(phase) ? await adaptedConfig(phase, clusterSocket()) : phase.config
    const names: Readonly<Record<string, string>> = { kubeadm: 'kubeadm-config', kubelet: kubeletConfigMapName(config) }
    const wanted = Object.keys(names).filter(name => call.subcommand === 'all' || call.subcommand === name)
    const messages = wanted.map(
      name => `[upload-config] Storing the configuration in ConfigMap "${names[name]}" in the "kube-system" Namespace`,
    )
    const inputs = {
      caCertificate: '',
      now: new Date(),
      apply: loadPatches(phase, call.output),
      kubeletStarted: false,
    }
    const phases = wanted.map(name => `upload-config/${name}`)
    await deliverObjects({ objects: clusterObjects(config, facts, inputs, phases), messages }, phase, call)
  },
}
