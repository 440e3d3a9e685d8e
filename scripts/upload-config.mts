#!/usr/bin/env -S npx zx
/** Puts the configurations of kubeadm and of the kubelets into the cluster. */
import { loadPatches } from '../lib/phases/run/user-patches.ts'
import { clusterSocket } from '../lib/cluster/diagnose/machine-context.ts'
import { adaptedConfig, isLive } from '../lib/phases/run/live-node.ts'
import { clusterObjects } from '../lib/kubeadm/objects/cluster-objects.ts'
import { deliverObjects } from '../lib/phases/run/deliver-objects.ts'
import { kubeletConfigMapName } from '../lib/kubeadm/objects/upload-config-objects.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'cri-socket', 'kubeconfig', 'patches']

export const uploadConfig: Script = script(
  import.meta,
  {
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
  async call => {
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
    await deliverObjects(clusterObjects(config, facts, inputs, phases), messages, phase, call)
  },
)
