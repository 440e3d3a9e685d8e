/** The tables of the README and of docs/, from the tables that the code walks. */

import { type FlagRow, INERT_FLAGS, KUBEADM_COMMANDS, REFUSED_FLAGS } from '../../lib/cli/kubeadm-commands.ts'
import { meaningOf, type Option, placeholderOf } from '../../lib/cli/option.ts'
import { OPTIONS, type OptionName } from '../../lib/cli/options.ts'
import { GATES } from '../../lib/cluster/ready/gates.ts'
import { PHASES } from '../../lib/kubeadm/config/phase-names.ts'
import { ADDONS } from '../../lib/kubeadm/objects/addon-objects.ts'
import { ARGUMENTS, COREDNS_REPLICAS, ENVIRONMENT, FIELDS, PATCHES } from '../../lib/kubeadm/profile/ci-profile.ts'
import { SYSCTLS } from '../../lib/machine/host/sysctl.ts'
import { PROXY_MODES, type ProxyMode } from '../../lib/machine/network/proxy-mode.ts'
import { CHECKS } from '../../lib/phases/preflight/checks.ts'
import { ITEMS } from '../../lib/phases/prepare/items.ts'
import {
  KUBE_PROXY_ADAPTATIONS,
  KUBELET_ADAPTATIONS,
  KUBELET_FLAG_ADAPTATIONS,
} from '../../lib/phases/run/machine-adaptations.ts'
import { NODE_ADDRESS_ROW } from '../../lib/phases/run/node-address.ts'

type Row = readonly string[]

/** Tables by the name that stands in a document's marker. */
export function readmeTables(initOptions: readonly OptionName[]): Readonly<Record<string, string>> {
  return {
    options: table(['option', 'meaning', 'default'], initOptions.map(optionRow)),
    phases: table(
      ['script', 'what it makes', 'sub-phases'],
      PHASES.map(({ name, about, subphases }) => [`\`${name}\``, about, subphases.map(sub => `\`${sub}\``).join(' ')]),
    ),
    preflight: table(
      ['check', 'asks for', 'at worst', 'because', 'in kubeadm'],
      CHECKS.map(({ name, about, severity, why, ours, since, until }) => [
        `\`${name}\``,
        about,
        severity,
        why,
        ours ? 'no' : since === undefined && until === undefined ? 'yes' : releases(since, until),
      ]),
    ),
    'kubeadm-commands': table(
      ['kubeadm', 'here'],
      KUBEADM_COMMANDS.map(({ kubeadm, here, why = '' }) => [
        `\`${kubeadm.replace('*', '…')}\``,
        here === undefined ? `not there: ${why}` : `\`${here.replace('*', '…')}\``,
      ]),
    ),
    'kubeadm-flags': table(
      ['flag', 'of', 'here'],
      [
        ...INERT_FLAGS.map(row => flagRow(row, 'taken, and changes nothing: ')),
        ...REFUSED_FLAGS.map(row => flagRow(row, 'not taken: ')),
      ],
    ),
    gates: table(
      ['gate', 'holds when'],
      GATES.map(({ name, about }) => [`\`${name}\``, about]),
    ),
    addons: table(
      ['addon', 'what it gives', 'by default with'],
      ADDONS.map(({ name, about, profiles }) => [`\`${name}\``, about, profiles.map(one => `\`${one}\``).join(', ')]),
    ),
    adaptations: table(
      ['kubelet field', 'value', 'when'],
      [
        ...KUBELET_ADAPTATIONS.map(({ field, value, why }) => [`\`${field}\``, `\`${value}\``, why]),
        ...KUBELET_FLAG_ADAPTATIONS.map(({ flag, value, why }) => [`\`--${flag}\``, `\`${value}\``, why]),
        [`\`${NODE_ADDRESS_ROW.field}\``, NODE_ADDRESS_ROW.value, NODE_ADDRESS_ROW.why],
        ...KUBE_PROXY_ADAPTATIONS.map(({ field, value, why }) => [`\`${field}\` of kube-proxy`, `\`${value}\``, why]),
      ],
    ),
    profile: table(
      ['what', 'value', 'why'],
      [
        ...FIELDS.map(({ kind, field, value, why }) => [`${kind} \`${field}\``, `\`${JSON.stringify(value)}\``, why]),
        ...ARGUMENTS.map(({ component, name, value, why }) => [`${component} \`--${name}\``, `\`${value}\``, why]),
        ...PATCHES.map(({ target, field, value, why }) => [`${target} \`${field}\``, `\`${value}\``, why]),
        ...ENVIRONMENT.map(({ targets, name, value, why }) => [
          `${targets.join(', ')} environment \`${name}\``,
          `\`${value}\``,
          why,
        ]),
        ['CoreDNS `replicas`', `\`${COREDNS_REPLICAS}\``, 'one node needs one'],
        ['`*_proxy` variables', 'left out', 'a proxy that is there for the job has no place in the cluster'],
      ],
    ),
    items: table(
      ['item', 'what it is for', 'reads', 'changes', 'undone by'],
      ITEMS.map(({ name, about, reads, changes, undo }) => [`\`${name}\``, about, reads.join(', '), changes, undo]),
    ),
    'proxy-modes': table(
      ['mode', 'what it is', 'Kubernetes', 'needs of the kernel', 'programs of the host'],
      PROXY_MODES.map(mode => [
        `\`${mode.name}\``,
        mode.about,
        releasesOf(mode),
        [
          ...(mode.kernel === undefined ? [] : [`Linux ${mode.kernel}`]),
          ...mode.modules.map(group => group.map(name => `\`${name}\``).join(' or ')),
        ].join(', '),
        mode.programs.map(name => `\`${name}\``).join(' '),
      ]),
    ),
    sysctls: table(
      ['sysctl', 'value', 'why'],
      SYSCTLS.filter(({ value }) => value !== undefined).map(({ key, value, why }) => [
        `\`${key}\``,
        `\`${value}\``,
        why,
      ]),
    ),
  }
}

function flagRow({ flag, commands, why }: FlagRow, verdict: string): Row {
  const names = commands.map(name => (name === '*' ? 'every command' : `\`${name.replace('*', '…')}\``))
  return [`\`${flag}\``, names.join(', '), `${verdict}${why}`]
}

function releasesOf({ since, until, gate, deprecated }: ProxyMode): string {
  return [
    since === undefined ? (until === undefined ? 'all' : `until ${until}`) : `since ${since}`,
    ...(gate === undefined ? [] : [`gate ${gate.name} until ${gate.defaultSince}`]),
    ...(deprecated === undefined ? [] : [`deprecated since ${deprecated.since}`]),
  ].join(', ')
}

function releases(since?: string, until?: string): string {
  return [since && `since ${since}`, until && `until ${until}`].filter(Boolean).join(', ')
}

function optionRow(name: OptionName): Row {
  const option: Option = OPTIONS[name]
  const value = placeholderOf(option) === '' ? '' : ` ${placeholderOf(option)}`
  return [`\`--${name}${value}\``, meaningOf(option), option.default ?? '']
}

/** A markdown table. */
export function table(heading: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A document with every marked table replaced. Throws a RangeError for a marker without a table. */
export function fillTables(readme: string, tables: Readonly<Record<string, string>>): string {
  return readme.replace(
    /(<!-- table: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, open: string, name: string, close: string) => {
      const text = tables[name]
      if (text === undefined) throw new RangeError(`there is no table ${JSON.stringify(name)}`)
      return `${open}${text}\n${close}`
    },
  )
}
