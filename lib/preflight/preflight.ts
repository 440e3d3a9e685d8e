/** What of the machine stands in the way of a cluster: for the preflight script, and for init before it changes anything. */
import { KubestepError } from '../errors.ts'
import { readHost } from '../host/host.ts'
import { type HostSource, liveHost } from '../host/source.ts'
import type { Flags } from '../options.ts'
import type { Output } from '../output.ts'
import type { Phase } from '../phase.ts'
import type { Wanted } from './check.ts'
import { ignoredNames } from './checks.ts'
import { questionsOf, type Row, runChecks } from './run.ts'

/** What a phase and its flags ask of the machine. */
export function wantedOf({ config, namedSocket }: Pick<Phase, 'config' | 'namedSocket'>, flags: Flags): Wanted {
  const runtime = flags.runtime ?? namedSocket ?? 'auto'
  const isWord = runtime === 'auto' || runtime === 'private' || runtime.startsWith('unix://')
  return {
    config,
    runtime: isWord ? runtime : `unix://${runtime}`,
    cni: flags.cni === 'none' ? 'none' : 'bridge',
    profile: flags.profile === 'ci' ? 'ci' : 'kubeadm',
  }
}

/**
 * Reads the host and runs every check; `versions` as in HostQuestions. Throws a KubestepError for names to ignore
 * that no check has.
 */
export async function preflight(wanted: Wanted, source: HostSource, versions: boolean): Promise<Row[]> {
  const ignored = ignoredNames(wanted.config.init.nodeRegistration.ignorePreflightErrors ?? [], wanted)
  return runChecks(await readHost(source, questionsOf(wanted, versions)), wanted, ignored)
}

/** Runs the checks for an init: says its warnings. Throws a KubestepError with every error. */
export async function refuseBadMachine(phase: Phase, flags: Flags, output: Output): Promise<void> {
  output.say('[preflight] Running pre-flight checks')
  const rows = await preflight(wantedOf(phase, flags), liveHost(), false)
  const text = ({ name, found, mend }: Row, label: string): string =>
    `\t[${label} ${name}]: ${found}${mend === undefined ? '' : `; ${mend}`}`
  for (const row of rows.filter(({ status }) => status === 'warning')) output.warn(text(row, 'WARNING'))
  for (const row of rows.filter(({ status }) => status === 'handled')) output.detail(text(row, 'HANDLED'))
  const errors = rows.filter(({ status }) => status === 'error')
  if (errors.length > 0) throw new KubestepError([FATAL, ...errors.map(row => text(row, 'ERROR')), HINT].join('\n'))
}

// kubeadm's words, as people look for them.
const FATAL = '[preflight] Some fatal errors occurred:'
const HINT =
  '[preflight] If you know what you are doing, you can make a check non-fatal with --ignore-preflight-errors=<name>,...'
