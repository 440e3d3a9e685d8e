#!/usr/bin/env -S npx zx
import { removeComponents } from '../lib/action/cache.ts'
import { givenInputs } from '../lib/action/given-inputs.ts'
import { logsSummary } from '../lib/action/job-summary.ts'
import { removeUserFiles, takeOver } from '../lib/action/owned-files.ts'
import { openReporting, state } from '../lib/action/reporting.ts'
import { bundle, runAsRoot } from '../lib/action/run-as-root.ts'
/** The end of a job with the GitHub Action: logs when something failed, then the cluster goes. Never red, safe at any time. */
import { placesOf } from '../lib/action/runner-environment.ts'
import { stopStarted } from '../lib/action/stop-init.ts'
import { readKubeconfigFile, removeKubeconfig } from '../lib/action/user-kubeconfig.ts'
import { reasonOf } from '../lib/base/errors.ts'
import { faultText } from '../lib/cli/fault-text.ts'
import { guardStreams } from '../lib/cli/streams.ts'
import { environmentSecrets } from '../lib/cluster/diagnose/known-secrets.ts'

const places = placesOf(process.env)
const runner = openReporting(environmentSecrets(process.env))

/** Only the cluster that main has begun: another job may have come meanwhile. */
const ours = `--owner=${state('owner')}`

async function post(): Promise<void> {
  if (state('started') !== 'true') {
    runner.info('Nothing to do: no cluster was begun')
    return
  }
  const given = givenInputs(process.env)
  if (await stopStarted()) runner.info('Stopped what was still at work')
  // A failed init has left its logs already.
  const failed = state('failed') !== 'true' && ['failure', 'cancelled'].includes(given['job-status'] ?? '')
  const wanted = given.logs ?? 'on-failure'
  if (wanted === 'always' || (wanted === 'on-failure' && failed)) await attempt('collect the logs', collectLogs)
  if (given.cleanup === 'never') runner.info('The cluster stays, as cleanup: never asks')
  else await attempt('take the cluster away', reset)
  await attempt('clear the cache folder', () => removeComponents(places.components))
}

/** A part of it; the others come though it fails. */
async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    runner.warning(`kubestep could not ${what}: ${reasonOf(error)}`)
  }
}

async function collectLogs(): Promise<void> {
  const { status, stdout, stderr } = await runAsRoot(bundle('logs', ours))
  if (status !== 0) throw new Error(stderr.trim())
  if (stdout.trim() === '') return runner.info(stderr.trim())
  const path = await takeOver(stdout.trim(), places.logs)
  const diagnosis = stderr.trim().replace(/^\[logs\] /, '')
  runner.info(`Logs of the cluster: ${path}`)
  if (diagnosis !== '') runner.info(diagnosis)
  runner.addSummary(logsSummary(diagnosis, path))
}

async function reset(): Promise<void> {
  runner.startGroup('Taking the cluster away')
  const { status, stderr } = await runAsRoot(bundle('reset', ours), { onOut: runner.info })
  runner.endGroup()
  if (status !== 0) throw new Error(stderr.trim())
  removeUserFiles(places)
  const kubeconfig = readKubeconfigFile(state('kubeconfig'))
  const stays = kubeconfig && removeKubeconfig(kubeconfig)
  if (stays !== undefined) runner.info(stays)
}

// A cancelled job sends these too; the reset is short and is not to be left half done.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => {})
guardStreams('action')
process.on('uncaughtException', error => {
  runner.warning(`kubestep could not end the job: ${faultText('action', error, false)}`)
  process.exit(0)
})
await attempt('end the job', post)
runner.end()
process.exit(0)
