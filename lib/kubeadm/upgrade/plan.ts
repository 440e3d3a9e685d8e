/** What a cluster could be upgraded to, in kubeadm's tables and objects. Source: kubeadm cmd/upgrade/plan.go (v1.36). */

import type { Json } from '../../base/json.ts'
import { compareVersions, formatVersion, isOlder, parseVersion, type Version } from '../../base/version.ts'
import { newestPatch } from '../config/named-versions.ts'
import { bundledVersions } from '../images/image-versions.ts'

/** Versions as tags or as nodes say them, each with the nodes that have it. */
export type ByVersion = Readonly<Record<string, readonly string[]>>

/** What runs in a cluster. */
export interface ClusterVersions {
  readonly kubelets: ByVersion
  readonly apiservers: ByVersion
  readonly controllerManagers: ByVersion
  readonly schedulers: ByVersion
  /** Empty when etcd is elsewhere. */
  readonly etcds: ByVersion
  /** Tag of CoreDNS' image; undefined when there is none. */
  readonly coredns?: string
  /** Version of kube-proxy, with its v; undefined when there is none. */
  readonly kubeProxy?: string
}

export interface ComponentUpgrade {
  readonly name: string
  readonly currentVersion: string
  readonly newVersion: string
  readonly nodeName?: string
}

export interface AvailableUpgrade {
  readonly description: string
  readonly components: readonly ComponentUpgrade[]
}

/** The version of a component's configuration; this project reads and writes one of each. */
export interface ConfigVersion {
  readonly group: string
  readonly currentVersion: string
  readonly preferredVersion: string
  readonly manualUpgradeRequired: boolean
}

export interface UpgradePlan {
  readonly availableUpgrades: readonly AvailableUpgrade[]
  readonly configVersions: readonly ConfigVersion[]
}

/** The newest version of an API server; undefined when there is none that says one. */
export function clusterVersion({ apiservers }: Pick<ClusterVersions, 'apiservers'>): Version | undefined {
  return Object.keys(apiservers)
    .flatMap(text => parseVersion(text) ?? [])
    .toSorted(compareVersions)
    .at(-1)
}

/** Where a cluster of that version may go: to `wanted` alone, else to the newest known of its minor and of the next. */
export function candidates(
  from: Version,
  wanted?: Version,
): readonly { readonly description: string; readonly version: Version }[] {
  const series = `version in the v${from.major}.${from.minor} series`
  if (wanted !== undefined) return isOlder(from, wanted) ? [{ description: series, version: wanted }] : []
  const rows = [
    { description: series, text: newestPatch(from.major, from.minor) },
    { description: 'stable version', text: newestPatch(from.major, from.minor + 1) },
  ]
  return rows.flatMap(({ description, text }) => {
    const version = parseVersion(text ?? '')
    return version !== undefined && isOlder(from, version) ? [{ description, version }] : []
  })
}

/** All that changes on the way to a version, in kubeadm's order. */
export function availableUpgrade(
  current: ClusterVersions,
  from: Version,
  { description, version }: { readonly description: string; readonly version: Version },
  withEtcd: boolean,
): AvailableUpgrade {
  const to = formatVersion(version)
  const { coredns, etcd } = bundledVersions(version)
  const each = (name: string, versions: ByVersion, newVersion: string): ComponentUpgrade[] =>
    Object.keys(versions)
      .sort()
      .flatMap(currentVersion =>
        (versions[currentVersion] ?? []).map(nodeName => ({ name, currentVersion, newVersion, nodeName })),
      )
  const kubelets = Object.keys(current.kubelets)
  return {
    description,
    components: [
      ...(kubelets.length === 1 && kubelets[0] === to ? [] : each('kubelet', current.kubelets, to)),
      ...each('kube-apiserver', current.apiservers, to),
      ...each('kube-controller-manager', current.controllerManagers, to),
      ...each('kube-scheduler', current.schedulers, to),
      // kubeadm leaves the v out here.
      { name: 'kube-proxy', currentVersion: formatVersion(from).slice(1), newVersion: to },
      { name: 'CoreDNS', currentVersion: current.coredns ?? '', newVersion: coredns },
      { name: 'kubeadm', currentVersion: to, newVersion: to },
      ...(withEtcd ? each('etcd', current.etcds, etcd) : []),
    ],
  }
}

/** As an object of kubeadm's output API. */
export function planObject({ availableUpgrades, configVersions }: UpgradePlan): Readonly<Record<string, Json>> {
  const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json
  return {
    kind: 'UpgradePlan',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    availableUpgrades: plain(availableUpgrades),
    configVersions: plain(configVersions),
  }
}

const RULER = `${'_'.repeat(69)}\n\n`

/** For people; `command` is what applies a version. */
export function planText({ availableUpgrades, configVersions }: UpgradePlan, command: string): string {
  return [...availableUpgrades.map(one => upgradeText(one, command)), configText(configVersions)].join('')
}

function upgradeText({ description, components }: AvailableUpgrade, command: string): string {
  const row = ({ name, nodeName = '', currentVersion, newVersion }: ComponentUpgrade): string[] => [
    name,
    nodeName,
    currentVersion,
    newVersion,
  ]
  const head = ['COMPONENT', 'NODE', 'CURRENT', 'TARGET']
  const kubelets = components.filter(({ name }) => name === 'kubelet')
  const others = components.filter(({ name }) => name !== 'kubelet' && name !== 'kubeadm')
  const to = components.find(({ name }) => name === 'kube-apiserver')?.newVersion ?? ''
  const pre = parseVersion(to)?.pre ?? ''
  const allow =
    pre === '' ? '' : pre.startsWith('rc') ? ' --allow-release-candidate-upgrades' : ' --allow-experimental-upgrades'
  return [
    "Components that must be upgraded manually after you have upgraded the control plane with 'kubeadm upgrade apply':\n",
    table([head, ...kubelets.map(row)]),
    `\nUpgrade to the latest ${description}:\n\n`,
    table([head, ...others.map(row)]),
    `\nYou can now apply the upgrade by executing the following command:\n\n\t${command} ${to}${allow}\n\n`,
    RULER,
  ].join('')
}

function configText(configVersions: readonly ConfigVersion[]): string {
  const rows = configVersions.map(({ group, currentVersion, preferredVersion, manualUpgradeRequired }) => [
    group,
    currentVersion,
    preferredVersion,
    manualUpgradeRequired ? 'yes' : 'no',
  ])
  return [
    '\nThe table below shows the current state of component configs as understood by this version of kubeadm.\n',
    'Configs that have a "yes" mark in the "MANUAL UPGRADE REQUIRED" column require manual config upgrade or\n',
    'resetting to kubeadm defaults before a successful upgrade can be performed. The version to manually\n',
    'upgrade to is denoted in the "PREFERRED VERSION" column.\n\n',
    table([['API GROUP', 'CURRENT VERSION', 'PREFERRED VERSION', 'MANUAL UPGRADE REQUIRED'], ...rows]),
    RULER,
  ].join('')
}

const MIN_WIDTH = 10
const PADDING = 3

/** As Go's tabwriter lines columns up; the last one ends the line. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_head, column) =>
    Math.max(MIN_WIDTH, ...rows.map(row => (row[column] ?? '').length + PADDING)),
  )
  return rows
    .map(
      row =>
        `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`,
    )
    .join('')
}
