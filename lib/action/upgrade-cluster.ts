/** A step with `upgrade-to`: the cluster that a step before has made gets another version; its end stays that step's. */
import { timerMilliseconds } from '../base/duration.ts'
import { LAYOUT } from '../base/paths.ts'
import { addressSecrets } from '../cluster/diagnose/known-secrets.ts'
import { type Failure, failureFrom, failureOf } from './failure-report.ts'
import type { Given } from './given-inputs.ts'
import { startBudgetMs } from './init-arguments.ts'
import { INPUTS } from './inputs.ts'
import { upgradedSummary } from './job-summary.ts'
import { openProgress } from './log-progress.ts'
import { withoutPasswords } from './mirror-flags.ts'
import type { Reporting } from './reporting.ts'
import { bundle, runAsRoot } from './run-as-root.ts'
import { isDebug, type Places } from './runner-environment.ts'
import { upgradeFlags } from './upgrade-arguments.ts'
import { giveKubectl } from './user-files.ts'

/** How much longer than the timeout it may take to end. */
const PATIENCE_MS = 30_000

/** Upgrades it, and hands its kubectl over; gives why it could not. */
export async function upgradeCluster(
  given: Given,
  version: string,
  places: Places,
  runner: Reporting,
): Promise<Failure | undefined> {
  if ((await runAsRoot(['test', '-e', LAYOUT.ready])).status !== 0) {
    return failureFrom([
      'action: cannot upgrade: there is no cluster of kubestep on this machine; make one in a step before, without upgrade-to',
    ])
  }
  runner.hide(addressSecrets(given.mirrors ?? ''))
  const budgetMs = timerMilliseconds(given.timeout ?? INPUTS.timeout.default)
  const flags = [
    ...withoutPasswords(upgradeFlags(given, places.workspace), places.mirrors),
    ...['-o', 'json', `--timeout=${startBudgetMs(budgetMs)}ms`],
    ...(isDebug(process.env) ? ['--verbose'] : []),
  ]
  const startedMs = performance.now()
  const progress = openProgress(runner)
  const { status, stderr } = await runAsRoot(bundle('upgrade', 'apply', version, ...flags), {
    timeoutMs: budgetMs + PATIENCE_MS,
    onOut: progress.line,
    onError: runner.debug,
  })
  progress.end()
  const upgraded = progress.facts('upgraded')
  if (status !== 0 || upgraded === undefined) {
    const said = stderr.trim() === '' ? `action: cannot upgrade: it ended with status ${status}` : stderr
    const failure = failureOf(progress.facts('error'), status, said)
    runner.setJson('result', { ready: false, cause: failure.title })
    return failure
  }
  const { event: _event, ...facts } = upgraded
  const kubectl = await giveKubectl(places.bin)
  runner.setOutput('kubernetes-version', String(upgraded.kubernetesVersion))
  runner.setOutput('kubeconfig', process.env.KUBECONFIG ?? '')
  runner.setOutput('node-name', String(upgraded.nodeName))
  runner.setOutput('kubectl', kubectl)
  runner.setJson('result', { ready: true, ...facts, kubectl })
  runner.addSummary(upgradedSummary(upgraded, performance.now() - startedMs))
  return undefined
}
