/** What an upgrade is asked for: kubeadm's flags and an UpgradeConfiguration. */

import { UsageError } from '../../base/errors.ts'
import type { Timeouts } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { loadUpgradeConfig } from '../../kubeadm/config/config-file.ts'
import { chooseVersion } from '../../kubeadm/config/kubernetes-version.ts'
import { isVersionName } from '../../kubeadm/config/named-versions.ts'
import type { UpgradeApply, UpgradeConfiguration } from '../../kubeadm/config/upgrade-config.ts'
import { readFactsAnywhere } from '../../machine/host/read-facts.ts'
import { knownPhases } from '../run/known-phases.ts'
import { readConfig } from '../run/open-phase.ts'
import { isNamedBy, type UpgradeCommand, upgradePhaseNames, upgradeSteps } from './upgrade-phases.ts'

export interface UpgradeRequest {
  readonly command: UpgradeCommand
  /** With its `v`, or a name as `1.36` is one; undefined when nobody says one. */
  readonly version?: string
  /** Whether it is the whole command, and not one of its phases alone. */
  readonly isWhole: boolean
  /** What is to be done, in order. */
  readonly steps: readonly string[]
  readonly dryRun: boolean
  readonly force: boolean
  readonly etcdUpgrade: boolean
  readonly certificateRenewal: boolean
  readonly allowExperimental: boolean
  readonly allowReleaseCandidate: boolean
  readonly patches?: string
  /** Whether images that are missing may be fetched. */
  readonly pulls: boolean
  readonly ignored: readonly string[]
  readonly contextLines: number
  readonly printConfig: boolean
  readonly timeouts: Timeouts
}

/** What a file has to say where there is one. Source: kubeadm validation.go, ValidateMixedArguments (v1.36). */
const FILE_FLAGS = [
  'force',
  'patches',
  'etcd-upgrade',
  'certificate-renewal',
  'allow-experimental-upgrades',
  'allow-release-candidate-upgrades',
  'print-config',
  'context-lines',
] as const

/** Reads them. Throws a UsageError or a ConfigError with all faults. */
export function readUpgradeRequest(call: Call): {
  readonly request: UpgradeRequest
  readonly notices: readonly string[]
} {
  const { flags, positionals, subcommand } = call
  const [first = '', , phase, sub] = subcommand.split(' ')
  const command: UpgradeCommand = first === 'node' ? 'node' : 'apply'
  const source = readConfig(flags)
  if (source.text !== undefined) refuseMixed(flags)
  const { value: config, notices } = loadUpgradeConfig({ ...source, detectCriSocket: false }, readFactsAnywhere())
  const part = partOf(config, first)
  const version = wantedVersion(positionals, part.kubernetesVersion)
  const skipped = knownPhases(
    'upgrade',
    listOf(flags['skip-phases']) ?? part.skipPhases ?? [],
    upgradePhaseNames(command),
  )
  const named = phase === undefined ? undefined : [sub === undefined || sub === 'all' ? phase : `${phase}/${sub}`]
  const patches = flags.patches ?? part.patches?.directory
  return {
    request: {
      command,
      ...(version !== undefined && { version }),
      isWhole: phase === undefined,
      steps: upgradeSteps(command).filter(step =>
        named === undefined ? !isNamedBy(step, skipped) : isNamedBy(step, named),
      ),
      dryRun: flags['dry-run'] ?? part.dryRun ?? false,
      force: flags.force ?? part.forceUpgrade ?? false,
      etcdUpgrade: flags['etcd-upgrade'] ?? part.etcdUpgrade ?? true,
      certificateRenewal: flags['certificate-renewal'] ?? part.certificateRenewal ?? true,
      allowExperimental: flags['allow-experimental-upgrades'] ?? part.allowExperimentalUpgrades ?? false,
      allowReleaseCandidate: flags['allow-release-candidate-upgrades'] ?? part.allowRCUpgrades ?? false,
      ...(patches !== undefined && { patches }),
      pulls: part.imagePullPolicy !== 'Never',
      ignored: ignoredNames([
        ...(listOf(flags['ignore-preflight-errors']) ?? []),
        ...(part.ignorePreflightErrors ?? []),
      ]),
      contextLines: Number(flags['context-lines'] ?? config.diff.contextLines ?? 3),
      printConfig: flags['print-config'] ?? part.printConfig ?? false,
      timeouts: config.timeouts,
    },
    notices,
  }
}

/** The part of a configuration that is about a command. */
function partOf(config: UpgradeConfiguration, command: string): Partial<UpgradeApply> {
  if (command === 'plan') return config.plan
  if (command === 'node') return config.node
  return command === 'diff' ? config.diff : config.apply
}

function wantedVersion([given, more]: readonly string[], configured: string | undefined): string | undefined {
  if (more !== undefined)
    throw new UsageError(`upgrade: cannot take argument ${JSON.stringify(more)}: one version is enough`)
  const text = given ?? configured
  if (text === undefined || text === '') return undefined
  if (isVersionName(text)) return text
  const choice = chooseVersion(text)
  if ('reason' in choice) throw new UsageError(`upgrade: cannot upgrade to ${JSON.stringify(text)}: ${choice.reason}`)
  return choice.kubernetesVersion
}

function listOf(names: string | undefined): readonly string[] | undefined {
  return names?.split(',').filter(name => name !== '')
}

/** Those of the command line and of the file together. Source: kubeadm validation.go, ValidateIgnorePreflightErrors (v1.36). */
function ignoredNames(names: readonly string[]): readonly string[] {
  const others = names.filter(name => name.toLowerCase() !== 'all')
  if (others.length === 0 || others.length === names.length) return names
  throw new UsageError(
    `upgrade: cannot ignore ${JSON.stringify(names.join(','))}: individual checks cannot be named beside "all"; keep "all" or the names`,
  )
}

function refuseMixed(flags: Flags): void {
  const mixed = FILE_FLAGS.filter(name => flags[name] !== undefined)
  if (mixed.length === 0) return
  const names = mixed.map(name => `--${name}`).join(', ')
  throw new UsageError(`upgrade: cannot use --config together with ${names}: the file decides; set it there`)
}
