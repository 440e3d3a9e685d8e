#!/usr/bin/env -S npx zx
import { KUBECONFIGS, kubeconfigsOf } from '../lib/kubeadm/credentials/kubeconfigs.ts'
/** Makes the kubeconfig files of a control plane. */
import type { OptionName } from '../lib/cli/options.ts'
import { openPhase, PHASE_OPTIONS } from '../lib/phases/run/open-phase.ts'
import { deliver } from '../lib/phases/run/deliver-files.ts'
import { issueCredentials } from '../lib/kubeadm/credentials/issue.ts'
import { type Script, script } from '../lib/cli/script.ts'

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

export const kubeconfig: Script = script(
  import.meta,
  {
    name: 'kubeconfig',
    about: 'Generate the kubeconfig files of the control plane and its admins; a compliant file is kept.',
    options: OPTIONS,
    subcommands: [
      { name: 'all', about: 'Generate all kubeconfig files' },
      ...KUBECONFIGS.map(({ name, longName }) => ({ name, about: `Generate a ${longName}` })),
    ],
    examples: ['kubeconfig.mts all --dry-run --output-dir ./tree', 'kubeconfig.mts admin --cert-dir /tmp/pki'],
  },
  async call => {
    const phase = openPhase(call)
    const { config, readCredential: read } = phase
    const wanted = call.subcommand === 'all' ? kubeconfigsOf(config.kubeadm) : KUBECONFIGS
    const issued = await issueCredentials({
      config,
      read,
      place: phase.place,
      now: new Date(),
      certificates: [],
      kubeconfigs: wanted.map(({ name }) => name).filter(name => call.subcommand === 'all' || call.subcommand === name),
      directories: { kubeconfigs: call.flags['kubeconfig-dir'] ?? '/etc/kubernetes' },
    })
    deliver(issued, phase, call.output)
  },
)
