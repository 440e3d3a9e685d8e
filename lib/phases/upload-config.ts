/** Phase `upload-config`: puts the configurations of kubeadm and of the kubelets into the cluster. */

import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { clusterSocket } from '../cluster/diagnose/machine-context.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { type ClusterObject, created } from '../kubeadm/objects/cluster-object.ts'
import { nodePatch } from '../kubeadm/objects/node-patch.ts'
import {
  criSocketPatch,
  kubeadmConfigObjects,
  kubeletConfigMapName,
  kubeletConfigObjects,
} from '../kubeadm/objects/upload-config-objects.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { adaptedConfig, isLive } from './run/live-node.ts'
import { givenOf, openPhase } from './run/open-phase.ts'

const OPTIONS: readonly OptionName[] = [...PHASE_OPTIONS, 'cri-socket', 'kubeconfig', 'patches']

interface Upload {
  readonly name: string
  readonly configMap: (given: Given) => string
  readonly objects: (given: Given) => readonly ClusterObject[]
}

const UPLOADS: readonly Upload[] = [
  {
    name: 'kubeadm',
    configMap: () => 'kubeadm-config',
    objects: ({ config }) => created('upload-config/kubeadm', kubeadmConfigObjects(config), config.kubeadm),
  },
  {
    name: 'kubelet',
    configMap: ({ config }) => kubeletConfigMapName(config),
    objects: ({ config, facts, apply, runs }) => {
      const phase = 'upload-config/kubelet'
      const inputs = { facts, apply, kubeletStarted: runs('kubelet-start') }
      const patch = criSocketPatch(config)
      return [
        ...created(phase, kubeletConfigObjects(config, inputs), config.kubeadm),
        ...(patch === undefined ? [] : [nodePatch(phase, config, patch)]),
      ]
    },
  },
]

export const uploadConfig: ApplyingPhase = {
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
  objects: (given: Given, names?: readonly string[]): Applied => {
    const rows = UPLOADS.filter(({ name }) => names === undefined || names.includes(name))
    return {
      objects: rows.flatMap(({ objects }) => objects(given)),
      messages: rows.map(({ configMap }) => {
        const stored = `ConfigMap "${configMap(given)}" in the "kube-system" Namespace`
        return `[upload-config] Storing the configuration in ${stored}`
      }),
    }
  },
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    // What nodes join by is what this machine's kubelet runs with.
    const config = isLive(opened) ? await adaptedConfig(opened, clusterSocket()) : opened.config
    const names = call.subcommand === 'all' ? undefined : [call.subcommand]
    await deliverObjects(uploadConfig.objects(givenOf({ ...opened, config }, call), names), opened, call)
  },
}
