/** Phase `kubeconfig`: the kubeconfig files of a control plane and its admins. */
import { KUBERNETES } from '../base/paths.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { KUBECONFIGS, kubeconfigsOf } from '../kubeadm/credentials/kubeconfigs.ts'
import type { Given, Rendered, RenderingPhase } from './phase.ts'
import { deliverFiles } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'
import { printUserKubeconfig, USER_SUBCOMMAND } from './users/user-access.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'control-plane-endpoint',
  'cert-dir',
  'kubeconfig-dir',
  'feature-gates',
  'node-name',
]

export const kubeconfig: RenderingPhase = {
  ...phaseRow('kubeconfig'),
  command: {
    name: 'kubeconfig',
    about: 'Generate the kubeconfig files of the control plane and its admins; a compliant file is kept.',
    options: OPTIONS,
    subcommands: [
      { name: 'all', about: 'Generate all kubeconfig files' },
      ...KUBECONFIGS.map(({ name, longName }) => ({ name, about: `Generate a ${longName}` })),
      USER_SUBCOMMAND,
    ],
    examples: ['kubeconfig.mts all --dry-run --output-dir ./tree', 'kubeconfig.mts admin --cert-dir /tmp/pki'],
  },
  render: async (given: Given, names?: readonly string[]): Promise<Rendered> => {
    const { issue, runs, config, readCredential: read, place, now, kubeconfigDir = KUBERNETES.folder } = given
    // One that is asked for alone is refused where the release has none.
    const rows = names === undefined || runs('kubeconfig') ? kubeconfigsOf(config.kubeadm) : KUBECONFIGS
    const issued = await issue({
      config,
      read,
      place,
      now,
      certificates: [],
      kubeconfigs: rows.map(({ name }) => name).filter(name => names === undefined || names.includes(name)),
      directories: { kubeconfigs: kubeconfigDir },
    })
    return { ...issued, folded: 'kubeconfig files' }
  },
  run: async (call: Call): Promise<void> => {
    if (call.subcommand === USER_SUBCOMMAND.name) return printUserKubeconfig(call)
    const opened = openPhase(call)
    const names = call.subcommand === 'all' ? undefined : [call.subcommand]
    deliverFiles(await kubeconfig.render(givenOf(opened, call), names), opened, call.output)
  },
}
