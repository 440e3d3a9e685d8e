/** Phase `control-plane`: the manifests of the API server, the controller manager and the scheduler. */
import { KUBERNETES } from '../base/paths.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { renderManifests } from '../kubeadm/manifests/manifests.ts'
import { refuseRootless } from '../kubeadm/manifests/rootless.ts'
import type { ComponentName } from '../kubeadm/manifests/static-pods.ts'
import type { Given, Rendered, RenderingPhase } from './phase.ts'
import { deliverFiles } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'

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

/** What each sub-phase writes. */
const COMPONENTS: Readonly<Record<string, ComponentName>> = {
  apiserver: 'kube-apiserver',
  'controller-manager': 'kube-controller-manager',
  scheduler: 'kube-scheduler',
}

export const controlPlane: RenderingPhase = {
  ...phaseRow('control-plane'),
  command: {
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
  render: (given: Given, names: readonly string[] = Object.keys(COMPONENTS)): Rendered =>
    renderManifests(
      names.flatMap(name => COMPONENTS[name] ?? []),
      given,
    ),
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    if (!opened.dryRun) refuseRootless('control-plane', opened.config)
    call.output.say(`[control-plane] Using manifest folder "${KUBERNETES.manifests}"`)
    const names = call.subcommand === 'all' ? undefined : [call.subcommand]
    deliverFiles(await controlPlane.render(givenOf(opened, call), names), opened, call.output)
  },
}
