/** `upgrade`: a cluster to another version of Kubernetes, node by node. */
import type { Command, Subcommand } from '../cli/arguments.ts'
import type { OptionName } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { isVersionName } from '../kubeadm/config/named-versions.ts'
import { namedVersions } from '../supply/components/look-up-versions.ts'
import { applyUpgrade } from './upgrade/apply-upgrade.ts'
import { rollBackUnfinished } from './upgrade/roll-back.ts'
import { dryRun, showDiff } from './upgrade/show-diff.ts'
import { showPlan } from './upgrade/show-plan.ts'
import { UPGRADE_PHASES, type UpgradeCommand } from './upgrade/upgrade-phases.ts'
import { readUpgradeRequest, type UpgradeRequest } from './upgrade/upgrade-request.ts'

const CLUSTER: readonly OptionName[] = ['config', 'kubeconfig']
const VERSIONS: readonly OptionName[] = ['allow-experimental-upgrades', 'allow-release-candidate-upgrades']
const PLAN: readonly OptionName[] = [
  ...CLUSTER,
  ...VERSIONS,
  'etcd-upgrade',
  'ignore-preflight-errors',
  'print-config',
  'allow-missing-template-keys',
  'show-managed-fields',
]
const NODE: readonly OptionName[] = [
  ...CLUSTER,
  'certificate-renewal',
  'dry-run',
  'etcd-upgrade',
  'ignore-preflight-errors',
  'patches',
  // Ours: where images and programs come from, how long it may take, and what becomes of Pods.
  'output-dir',
  'artifacts',
  'mirror',
  'cache-dir',
  'lock',
  'offline',
  'timeout',
  'drain',
]
const APPLY: readonly OptionName[] = [...NODE, ...VERSIONS, 'force', 'yes', 'print-config']

/** A further node takes the version that the cluster has. */
const VERSION = { positionals: '[VERSION]' } as const

function phasesOf(command: UpgradeCommand): readonly Subcommand[] {
  const options = command === 'apply' ? APPLY : NODE
  return UPGRADE_PHASES.filter(phase => phase.in.includes(command) && !phase.hidden).flatMap(
    ({ name, about, subphases = [] }) =>
      [name, ...(subphases.length > 0 ? ['all', ...subphases].map(sub => `${name} ${sub}`) : [])].map(words => ({
        name: `${command} phase ${words}`,
        about,
        options,
        ...(command === 'apply' && VERSION),
      })),
  )
}

export const upgradeCommand: Command = {
  name: 'upgrade',
  about: 'Upgrade the cluster to another version of Kubernetes.',
  options: [],
  subcommands: [
    {
      name: 'plan',
      about: 'Show to which versions the cluster could be upgraded; nothing is changed',
      options: PLAN,
      ...VERSION,
    },
    {
      name: 'diff',
      about: 'Show what an upgrade would change, before anything is',
      options: [...CLUSTER, 'context-lines'],
      ...VERSION,
    },
    {
      name: 'apply',
      about: 'Upgrade the cluster, and this control plane node of it',
      options: [...APPLY, 'skip-phases'],
      ...VERSION,
    },
    {
      name: 'node',
      about: 'Upgrade a further node to the version that was applied',
      options: [...NODE, 'skip-phases'],
    },
    {
      name: 'rollback',
      about: 'Take back an upgrade that has begun on this node and did not end',
      options: ['kubeconfig', 'timeout'],
    },
    ...phasesOf('apply'),
    ...phasesOf('node'),
  ],
  needsSubcommand: true,
  outputs: ['yaml'],
  examples: [
    'upgrade.mts plan',
    'upgrade.mts diff v1.36.2',
    'upgrade.mts apply v1.36.2 --artifacts ./v1.36.2',
    'upgrade.mts node --drain',
  ],
}

/** The request with what the name of a version stands for; what changes nothing looks nothing up. Throws a KubestepError. */
async function withVersion({ subcommand, flags, output }: Call, request: UpgradeRequest): Promise<UpgradeRequest> {
  const { version, dryRun: still } = request
  if (version === undefined || !isVersionName(version)) return request
  const named = { ...flags, 'kubernetes-version': version }
  const found = await namedVersions({ flags: named }, output, { still: still || ['plan', 'diff'].includes(subcommand) })
  return { ...request, version: found[version] ?? version }
}

/** Runs it. Throws a KubestepError. */
export async function runUpgrade(call: Call): Promise<void> {
  if (call.subcommand === 'rollback') return rollBackUnfinished(call)
  const { request: asked, notices } = readUpgradeRequest(call)
  for (const notice of notices) call.output.warn(notice)
  const request = await withVersion(call, asked)
  if (call.subcommand === 'plan') return showPlan(call, request)
  if (call.subcommand === 'diff') return showDiff(call, request)
  return request.dryRun ? dryRun(call, request) : applyUpgrade(call, request)
}
