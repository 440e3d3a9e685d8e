#!/usr/bin/env -S npx zx
/** Writes the manifests of the API server, the controller manager and the scheduler. */
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { type Script, script } from '../lib/cli/script.ts'
import type { ComponentName } from '../lib/kubeadm/manifests/component.ts'
import { MANIFESTS_FOLDER } from '../lib/kubeadm/manifests/component.ts'
import { deliverManifests } from '../lib/phases/run/deliver-manifests.ts'

const BASIC: readonly OptionName[] = [...PHASE_OPTIONS, 'cert-dir', 'image-repository', 'patches', 'feature-gates']
const APISERVER: readonly OptionName[] = [
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'control-plane-endpoint',
  'service-cidr',
  'service-dns-domain',
  'apiserver-extra-args',
]
const CONTROLLER_MANAGER: readonly OptionName[] = ['pod-network-cidr', 'service-cidr', 'controller-manager-extra-args']
const SCHEDULER: readonly OptionName[] = ['scheduler-extra-args']
const EVERYTHING: readonly OptionName[] = [...new Set([...BASIC, ...APISERVER, ...CONTROLLER_MANAGER, ...SCHEDULER])]

/** What each sub-command writes. */
const COMPONENTS: Readonly<Record<string, readonly ComponentName[]>> = {
  all: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
  apiserver: ['kube-apiserver'],
  'controller-manager': ['kube-controller-manager'],
  scheduler: ['kube-scheduler'],
}

export const controlPlane: Script = script(
  import.meta,
  {
    name: 'control-plane',
    about: 'Generate the static Pod manifests of the control plane.',
    options: EVERYTHING,
    subcommands: [
      { name: 'all', about: 'Generate all static Pod manifests', options: EVERYTHING },
      { name: 'apiserver', about: 'Generate the kube-apiserver manifest', options: [...BASIC, ...APISERVER] },
      {
        name: 'controller-manager',
        about: 'Generate the kube-controller-manager manifest',
        options: [...BASIC, ...CONTROLLER_MANAGER],
      },
      { name: 'scheduler', about: 'Generate the kube-scheduler manifest', options: [...BASIC, ...SCHEDULER] },
    ],
    examples: [
      'control-plane.mts all --dry-run --output-dir ./tree',
      'control-plane.mts apiserver --apiserver-extra-args v=4 --dry-run',
      'control-plane.mts scheduler --config kubeadm.yaml --patches ./patches',
    ],
  },
  async call => {
    const phase = openPhase(call)
    call.output.say(`[control-plane] Using manifest folder "${MANIFESTS_FOLDER}"`)
    deliverManifests('control-plane', COMPONENTS[call.subcommand] ?? [], phase, call.output)
  },
)
