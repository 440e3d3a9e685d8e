#!/usr/bin/env -S npx zx
/** The GitHub Action: a cluster in one step. Its inputs and outputs are tables in lib/action. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Restored, restoreComponents, saveComponents } from '../lib/action/cache.ts'
import { type Failure, failureFrom, failureOf } from '../lib/action/failure-report.ts'
import { type Given, isOn, listItems } from '../lib/action/given-inputs.ts'
import { type InitCall, initCall, startBudgetMs } from '../lib/action/init-arguments.ts'
import { INPUTS } from '../lib/action/inputs.ts'
import { readJobFacts } from '../lib/action/job-facts.ts'
import { failureSummary, readySummary, timeToReady } from '../lib/action/job-summary.ts'
import { openProgress } from '../lib/action/log-progress.ts'
import { withoutPasswords } from '../lib/action/mirror-flags.ts'
import type { OutputName } from '../lib/action/outputs.ts'
import { folderFault, makeOwnFolder, takeOver, writeOwn } from '../lib/action/owned-files.ts'
import { isInline, readInputs } from '../lib/action/read-inputs.ts'
import { refusals } from '../lib/action/refusals.ts'
import { openReporting } from '../lib/action/reporting.ts'
import { bundle, children, runAsRoot, signal } from '../lib/action/run-as-root.ts'
import { hasCacheService, isDebug, leaksInputs, placesOf } from '../lib/action/runner-environment.ts'
import { upgradeFaults } from '../lib/action/upgrade-arguments.ts'
import { upgradeCluster } from '../lib/action/upgrade-cluster.ts'
import { giveUserFiles } from '../lib/action/user-files.ts'
import { isTaken, TAKEN } from '../lib/action/user-kubeconfig.ts'
import { timerMilliseconds } from '../lib/base/duration.ts'
import { reasonOf } from '../lib/base/errors.ts'
import type { JsonObject } from '../lib/base/json.ts'
import { LAYOUT } from '../lib/base/paths.ts'
import { faultText } from '../lib/cli/fault-text.ts'
import { guardStreams } from '../lib/cli/streams.ts'
import { addressSecrets, environmentSecrets, fieldSecrets } from '../lib/cluster/diagnose/known-secrets.ts'

const places = placesOf(process.env)
const runner = openReporting(environmentSecrets(process.env))

/** How much longer than the timeout an init may take to end. */
const PATIENCE_MS = 30_000

/** What init says of a cluster, or of a process, that is somebody else's. */
const OTHERS = /ExistingCluster|there is one on this machine|is at work on this machine/

class Cancelled extends Error {}

async function main(): Promise<void> {
  // First what can be known at once, all of it, before anything is changed.
  const { given, faults, unknown } = readInputs(process.env, places.workspace)
  const facts = readJobFacts(process.env)
  const refused = [...refusals(facts), ...faults, ...upgradeFaults(given), ...(leaksInputs(process.env) ? [] : unknown)]
  const kubeconfig = given.kubeconfig === undefined ? places.kubeconfig : resolve(places.workspace, given.kubeconfig)
  if (given.kubeconfig !== undefined && isTaken(kubeconfig)) {
    refused.push(`action: cannot write kubeconfig "${kubeconfig}": ${TAKEN}`)
  }
  const unsafe = folderFault(places.folder)
  if (unsafe !== undefined) refused.push(unsafe)
  if (refused.length > 0) return end(failureFrom(refused))
  makeOwnFolder(places.folder)
  if (leaksInputs(process.env)) for (const line of unknown) runner.info(`Warning: ${line}`)
  if (given['upgrade-to'] !== undefined) {
    const failure = await upgradeCluster(given, given['upgrade-to'], places, runner)
    stopIfCancelled()
    return failure && end(failure, undefined, undefined, 'No upgrade')
  }

  if ((await runAsRoot(['test', '-e', LAYOUT.ready])).status === 0 && !(await mayReplace(given['if-exists']))) return

  // What init is called with.
  const text = given.config === undefined ? undefined : configText(given.config)
  runner.hide([...addressSecrets(given.mirrors ?? ''), ...fieldSecrets(text ?? ''), ...fieldSecrets(kindText(given))])
  const init = initCall(withNodeFiles(given), places.workspace, text)
  for (const notice of init.notices ?? []) runner.info(`Notice: ${notice}`)
  const call = withConfigFile(init, given.config)
  const flags = [
    ...withoutPasswords(call, places.mirrors),
    '-o',
    'json',
    '--skip-token-print',
    ...(isDebug(process.env) ? ['--verbose'] : []),
  ]
  const budgetMs = timerMilliseconds(given.timeout ?? INPUTS.timeout.default)
  const maySpeak = isOn(given.cache) && given.artifacts === undefined && !isOn(given.offline)
  const withCache = maySpeak && hasCacheService(process.env)
  if (withCache) runner.startGroup('Cache of binaries and images')
  const cached: Restored = withCache
    ? await restoreComponents(flags, places.components, budgetMs / 2, runner.info)
    : { hit: false }
  if (withCache) {
    runner.endGroup()
  }
  // On a machine that lives for one job nothing is kept for the next init: the folder is this user's.
  if (withCache || process.env.RUNNER_ENVIRONMENT === 'github-hosted') flags.push(`--cache-dir=${places.components}`)
  runner.setOutput('cache-hit', String(cached.hit))
  stopIfCancelled()

  // From here on there is something to take away again: written down before it is so.
  const owner = randomUUID()
  runner.saveState('started', 'true')
  runner.saveState('owner', owner)
  const progress = openProgress(runner)
  // What has been used up since this process began is not init's any more. It keeps to its time by itself; the limit is
  // for one that hangs all the same.
  const startedMs = performance.now()
  const leftMs = Math.max(budgetMs - startedMs, budgetMs / 2)
  const timed = [...flags, `--owner=${owner}`, `--timeout=${startBudgetMs(leftMs)}ms`]
  const { status, stderr } = await runAsRoot(bundle('init', ...timed), {
    timeoutMs: leftMs + PATIENCE_MS,
    onOut: progress.line,
    onError: runner.debug,
  })
  progress.end()
  const ready = progress.facts('ready')
  stopIfCancelled()
  if (status !== 0 || ready === undefined) {
    const event = progress.facts('error')
    // Another job was quicker between our look and init's: what is there is not ours to take away.
    if (OTHERS.test(String(event?.text ?? stderr))) runner.saveState('started', 'false')
    return endWithoutCluster(failureOf(event, status, stderr), event)
  }
  await handOver(ready, kubeconfig, cached.hit)
  // Now, before anything of the job itself has run: what comes later may have been written by its tests.
  if (cached.key !== undefined && !cached.hit)
    await saveCache(cached.key, Math.max(leftMs - performance.now() + startedMs, 0))
  await loadImages(listItems(given['load-images']))
}

/** Whether a cluster that is there already may go, and is gone. */
async function mayReplace(ifExists: string | undefined): Promise<boolean> {
  if (ifExists !== 'replace') {
    end(
      failureFrom([
        'action: cannot set up a cluster: there is one of kubestep on this machine; use it, or say if-exists: replace',
      ]),
    )
    return false
  }
  runner.startGroup('Taking away the cluster that is there')
  const { status, stderr } = await runAsRoot(bundle('reset'), { onOut: runner.info, onError: runner.info })
  runner.endGroup()
  if (status === 0) return true
  end(failureFrom(stderr.trim().split('\n')))
  return false
}

/** The inputs with files where the text itself was given. */
function withNodeFiles(given: Given): Given {
  const files = [
    ['nodes', places.nodes],
    ['kind-config', places.kindConfig],
  ] as const
  const written = files.flatMap(([name, file]) => {
    const text = given[name]
    if (text === undefined || !isInline(text)) return []
    // It may hold a token.
    writeOwn(file, text, 0o600)
    return [[name, file] as const]
  })
  return { ...given, ...Object.fromEntries(written) }
}

function kindText(given: Given): string {
  return given['kind-config'] === undefined ? '' : configText(given['kind-config'])
}

function configText(config: string): string {
  return isInline(config) ? config : readFileSync(resolve(places.workspace, config), 'utf8')
}

/** The flags, with the configuration as a file: the user's own where it is one and nothing was changed in it. */
function withConfigFile({ flags, config }: InitCall, given: string | undefined): string[] {
  if (config === undefined) return [...flags]
  if (given !== undefined && !isInline(given) && config === configText(given)) {
    return [...flags, `--config=${resolve(places.workspace, given)}`]
  }
  // It may hold a token.
  writeOwn(places.config, config, 0o600)
  return [...flags, `--config=${places.config}`]
}

/** What the next steps get: files, environment, outputs, the summary. */
async function handOver(ready: JsonObject, wanted: string, cacheHit: boolean): Promise<void> {
  const { caCert, context, kubeconfig, kubectl, server } = await giveUserFiles(
    places,
    String(ready.kubeconfig),
    wanted,
    runner,
  )
  const version = String(ready.kubernetesVersion)
  const { name = '', version: runtimeVersion = '' } = (ready.runtime ?? {}) as JsonObject
  runner.exportVariable('KUBECONFIG', kubeconfig)
  runner.addPath(places.bin)
  if (kubectl === '') runner.info('There is no kubectl among the artifacts: the one of the machine is used.')
  const { event: _event, kubeconfig: _admin, ...facts } = ready
  const outputs: Readonly<Record<Exclude<OutputName, 'cache-hit' | 'result'>, string>> = {
    kubeconfig,
    context,
    'kubernetes-version': version,
    server,
    'ca-cert': caCert,
    'node-name': String(ready.nodeName),
    kubectl,
    runtime: `${name} ${runtimeVersion}`,
    images: JSON.stringify(ready.images),
    'time-to-ready': String(timeToReady(ready)),
    timings: JSON.stringify(ready.timings),
    logs: places.logs,
  }
  for (const [output, value] of Object.entries(outputs)) runner.setOutput(output as keyof typeof outputs, value)
  runner.setJson('result', { ready: true, ...facts, kubeconfig, context, caCert, kubectl, cacheHit })
  runner.addSummary(
    readySummary(ready, [
      ['Binaries and images', cacheHit ? 'from the cache' : ''],
      ['Runner image', [process.env.ImageOS, process.env.ImageVersion].filter(Boolean).join(' ')],
    ]),
  )
}

async function saveCache(key: string, budgetMs: number): Promise<void> {
  runner.startGroup('Keeping binaries and images for later runs')
  const saved = await saveComponents(key, places.components, budgetMs, runner.info)
  runner.endGroup()
  if (!saved) runner.info('The cache was not written; the next run fetches again')
}

async function loadImages(images: readonly string[]): Promise<void> {
  if (images.length === 0) return
  runner.startGroup(`Loading ${images.length} images`)
  const said: string[] = []
  const { status } = await runAsRoot(bundle('load', ...images), {
    cwd: places.workspace,
    onOut: runner.info,
    onError: line => said.push(line),
  })
  runner.endGroup()
  stopIfCancelled()
  if (status !== 0) end(failureFrom(said.filter(line => !line.startsWith('See --help'))))
}

async function endWithoutCluster(failure: Failure, event: JsonObject | undefined): Promise<void> {
  runner.saveState('failed', 'true')
  const logs = failure.logs === undefined ? undefined : await takeOver(failure.logs, places.logs)
  const text = logs === undefined ? failure.text : failure.text.replaceAll(failure.logs ?? '', logs)
  if (logs !== undefined) runner.setOutput('logs', places.logs)
  const { event: _event, text: _text, ...facts } = event ?? {}
  runner.setJson('result', { ready: false, cause: failure.title, ...facts, ...(logs && { logs }) })
  end({ ...failure, text }, event, logs === undefined ? undefined : places.logs)
}

/** Red, with one annotation and the summary. */
function end(failure: Failure, event?: JsonObject, logs?: string, missing?: string): void {
  runner.fail(failure)
  runner.addSummary(failureSummary(failure, event?.timings, logs, missing))
}

let cancelled = false

function stopIfCancelled(): void {
  if (cancelled) throw new Cancelled()
}

/** The runner cancels with SIGINT, and SIGTERM 7.5 s later: what we started is told, and post does the rest. */
function onCancel(): void {
  cancelled = true
  runner.info('Cancelled: stopping; the rest is taken away at the end of the job')
  signal(children(), 'TERM')
}

/** What nobody waited for ends the step like any other failure. */
function onFault(error: unknown): void {
  end(failureFrom([faultText('action', error, false)]))
  process.exit()
}

guardStreams('action')
process.on('uncaughtException', onFault)
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onCancel)
try {
  await main()
} catch (error) {
  if (error instanceof Cancelled) process.exitCode = 1
  else end(failureFrom(reasonOf(error).split('\n')))
}
runner.end()
// What still runs (a name that nobody resolves) would keep the process for as long as it likes.
process.exit()
