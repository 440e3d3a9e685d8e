/** What of the machine stands in the way of a cluster: for the preflight script, and for init before it changes anything. */
import { KubestepError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import type { Flags } from '../../cli/options.ts'
import type { Output } from '../../cli/output.ts'
import { readHost } from '../../machine/host/host.ts'
import { type HostSource, liveHost } from '../../machine/host/host-source.ts'
import { podNetworkOf } from '../../machine/network/pod-network.ts'
import { askRuntime } from '../../supply/runtime/ask-runtime.ts'
import { wantedRuntime } from '../../supply/runtime/runtime-choice.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import type { Wanted } from './check.ts'
import { ignoredNames } from './checks.ts'
import { questionsOf, type Row, runChecks } from './run-checks.ts'
import { reportOf } from './verdict-text.ts'

/** What a phase and its flags ask of the machine. */
export function wantedOf({ config, namedSocket }: Pick<OpenedPhase, 'config' | 'namedSocket'>, flags: Flags): Wanted {
  return {
    config,
    runtime: wantedRuntime(flags.runtime, namedSocket),
    cni: podNetworkOf(flags.cni),
    profile: flags.profile === 'ci' ? 'ci' : 'kubeadm',
    install: flags.install ?? false,
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

/**
 * Runs the checks for an init, and says its warnings. Throws a KubestepError with every error, a line each.
 * What takes longest, asking programs for their versions, is left to when they are started.
 */
export async function refuseBadMachine(phase: OpenedPhase, flags: Flags, output: Output): Promise<void> {
  const task = output.begin('preflight', '[preflight] Running pre-flight checks')
  const wanted = wantedOf(phase, flags)
  // Old releases need an old containerd, and that is better known before it is started.
  const rows = await preflight(wanted, liveHost('/', askRuntime), wanted.config.version.minor < 23)
  const text = ({ found, fix }: Row): string => `${found}${fix === undefined ? '' : `; ${fix}`}`
  for (const row of rows.filter(({ status }) => status === 'warning')) {
    // Init speaks of kube-proxy's mode itself.
    if (row.name !== 'ProxyMode') output.warn(`[preflight] warning: ${row.name}: ${text(row)}`)
  }
  for (const row of rows.filter(({ status }) => status === 'handled')) {
    output.detail(`[preflight] ${row.name}: ${text(row)}`)
  }
  output.event('preflight', reportOf(rows, wanted) as unknown as Record<string, Json>)
  const errors = rows.filter(({ status }) => status === 'error')
  task.done()
  if (errors.length === 0) return
  const names = [...new Set(errors.map(({ name }) => name))].join(',')
  throw new KubestepError(
    [
      ...errors.map(row => `preflight: ${row.name}: ${text(row)}`),
      `preflight: cannot set up a cluster on this machine: fix that, or use --ignore-preflight-errors=${names} if you know better`,
    ].join('\n'),
  )
}
