/** Phase `addon`: puts CoreDNS and kube-proxy into the cluster. */

import { stringify } from '../base/yaml.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { clusterObjects } from '../kubeadm/objects/cluster-objects.ts'
import type { Phase } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { openPhase } from './run/open-phase.ts'
import { loadPatches } from './run/user-patches.ts'

const COMMON: readonly OptionName[] = [...PHASE_OPTIONS, 'image-repository', 'kubeconfig', 'print-manifest']
const DNS: readonly OptionName[] = ['feature-gates', 'patches', 'service-cidr', 'service-dns-domain']
const PROXY: readonly OptionName[] = [
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'control-plane-endpoint',
  'pod-network-cidr',
]

const NAMES: Readonly<Record<string, string>> = { coredns: 'CoreDNS', 'kube-proxy': 'kube-proxy' }

export const addon: Phase = {
  ...phaseRow('addon'),
  command: {
    name: 'addon',
    about: 'Install the addons that every cluster needs: CoreDNS and kube-proxy.',
    options: [...COMMON, ...DNS, ...PROXY],
    subcommands: [
      { name: 'all', about: 'Install all the addons' },
      { name: 'coredns', about: 'Install the CoreDNS addon', options: [...COMMON, ...DNS] },
      { name: 'kube-proxy', about: 'Install the kube-proxy addon', options: [...COMMON, ...PROXY] },
    ],
    examples: ['addon.mts --dry-run', 'addon.mts coredns --print-manifest --config kubeadm.yaml'],
  },
  run: async (call: Call): Promise<void> => {
    const phase = openPhase(call)
    const { config, facts } = phase
    const wanted = Object.keys(NAMES).filter(name => call.subcommand === 'all' || call.subcommand === name)
    const inputs = { caCertificate: '', now: new Date(), apply: loadPatches(phase, call.output) }
    const objects = clusterObjects(
      config,
      facts,
      inputs,
      wanted.map(name => `addon/${name}`),
    )
    if (call.flags['print-manifest']) {
      call.output.result(objects.map(({ object }) => `---\n${stringify(object)}`).join(''))
      return
    }
    const isThere = (name: string): boolean => objects.some(({ phase: from }) => from === `addon/${name}`)
    const messages = wanted.filter(isThere).map(name => `[addons] Applied essential addon: ${NAMES[name]}`)
    await deliverObjects({ objects, messages }, phase, call)
  },
}
