/** Phase `addon`: puts CoreDNS and kube-proxy into the cluster. */

import { stringify } from '../base/yaml.ts'
import { type OptionName, PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import { type ClusterObject, created } from '../kubeadm/objects/cluster-object.ts'
import { corednsObjects } from '../kubeadm/objects/coredns.ts'
import { kubeProxyObjects } from '../kubeadm/objects/kube-proxy.ts'
import type { Applied, ApplyingPhase, Given } from './phase.ts'
import { deliverObjects } from './run/deliver.ts'
import { givenOf, openPhase } from './run/open-phase.ts'

const COMMON: readonly OptionName[] = [...PHASE_OPTIONS, 'image-repository', 'kubeconfig', 'print-manifest']
const DNS: readonly OptionName[] = ['feature-gates', 'patches', 'service-cidr', 'service-dns-domain']
const PROXY: readonly OptionName[] = [
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'control-plane-endpoint',
  'pod-network-cidr',
]

interface Addon {
  readonly name: string
  readonly title: string
  readonly objects: (given: Given) => readonly ClusterObject[]
}

const ADDONS: readonly Addon[] = [
  {
    name: 'coredns',
    title: 'CoreDNS',
    objects: ({ config, apply }) => created('addon/coredns', corednsObjects(config, apply), config.kubeadm),
  },
  {
    name: 'kube-proxy',
    title: 'kube-proxy',
    objects: ({ config, facts }) => created('addon/kube-proxy', kubeProxyObjects(config, facts), config.kubeadm),
  },
]

export const addon: ApplyingPhase = {
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
  objects: (given: Given, names?: readonly string[]): Applied => {
    const rendered = ADDONS.filter(({ name }) => names === undefined || names.includes(name))
      .map(({ title, objects }) => ({ title, objects: objects(given) }))
      .filter(({ objects }) => objects.length > 0)
    return {
      objects: rendered.flatMap(({ objects }) => objects),
      messages: rendered.map(({ title }) => `[addons] Applied essential addon: ${title}`),
    }
  },
  run: async (call: Call): Promise<void> => {
    const opened = openPhase(call)
    const applied = addon.objects(givenOf(opened, call), call.subcommand === 'all' ? undefined : [call.subcommand])
    if (call.flags['print-manifest']) {
      call.output.result(applied.objects.map(({ object }) => `---\n${stringify(object)}`).join(''))
      return
    }
    await deliverObjects(applied, opened, call)
  },
}
