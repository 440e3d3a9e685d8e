/** Who races, on which road: images in the runtime already, archives for the first time, archives once more. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import type { Call } from '../../lib/cli/script.ts'
import { startDetached, which } from '../../lib/machine/command.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { processesWith } from '../../lib/machine/host/processes.ts'
import { openJournal } from '../../lib/machine/journal.ts'
import { kubeletService } from '../../lib/machine/service/kubelet-service.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { loadImages } from '../../lib/phases/init/cluster-images.ts'
import { type Binaries, provideBinaries } from '../../lib/phases/run/binaries.ts'
import { setRules, setSysctls } from '../../lib/phases/run/kernel.ts'
import { podNetworkFile } from '../../lib/phases/run/node-files.ts'
import { plannedChanges } from '../../lib/phases/run/planned-changes.ts'
import type { Runtime } from '../../lib/supply/runtime/runtime.ts'
import { importArchives } from '../../lib/supply/runtime/runtime-images.ts'
import { bareLimit } from './bare-limit.ts'
import { CONFIG, FOLDER, ROUND_LIMIT_MS, SOCKET, startRuntime, stopRuntime, takeAway } from './ground.ts'
import { observe } from './milestones.ts'

/** What a race is about. */
export interface Ground {
  readonly config: InitConfig
  readonly call: Call
  /** The checkout whose bundles race. */
  readonly root: string
  readonly artifacts: string
  readonly kubeadm?: string
}

export type Reached = Readonly<Record<string, number>>

export interface Contestant {
  readonly name: string
  readonly road: 'in place' | 'first' | 'again' | 'limit'
  readonly run: (ground: Ground) => Promise<Reached>
}

const PROFILES: readonly string[] = ['ci', 'kubeadm']

/** In the order in which a round has them: "again" follows "first", whose images it finds in the cache. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: 'etcd and kube-apiserver alone', road: 'limit', run: bareLimit },
  ...PROFILES.map(
    (profile): Contestant => ({ name: `kubestep --profile ${profile}`, road: 'in place', run: inPlace(profile) }),
  ),
  { name: 'kubeadm', road: 'in place', run: kubeadmInPlace },
  ...PROFILES.flatMap((profile): Contestant[] => [
    { name: `kubestep --profile ${profile}`, road: 'first', run: fromArchives(profile, true) },
    { name: `kubestep --profile ${profile}`, road: 'again', run: fromArchives(profile, false) },
  ]),
  { name: 'ctr images import, kubeadm', road: 'first', run: kubeadmFromArchives },
]

const CACHE = `${FOLDER}/cache`

async function withImages<Result>(ground: Ground, work: (runtime: Runtime) => Promise<Result>): Promise<Result> {
  const { config } = ground
  const binaries = await binariesOf(ground)
  const runtime = await startRuntime(config, binaries.cniBinDir)
  try {
    await loadImages(runtime, config, { archives: binaries.imageArchives }).all
    return await work(runtime)
  } finally {
    await stopRuntime(runtime)
  }
}

function binariesOf({ config, call }: Ground): Promise<Binaries> {
  return provideBinaries(config.cluster.kubernetesVersion, call, AbortSignal.timeout(ROUND_LIMIT_MS))
}

function inPlace(profile: string): Contestant['run'] {
  return ground =>
    withImages(ground, () =>
      runInit(ground, ['--config', CONFIG, '--runtime', `unix://${SOCKET}`, '--profile', profile]),
    )
}

function fromArchives(profile: string, isFirst: boolean): Contestant['run'] {
  return ground => {
    if (isFirst) rmSync(CACHE, { recursive: true, force: true })
    const own = `${FOLDER}/private.yaml`
    // The same but for the socket: the runtime is one of init's own.
    const text = readFileSync(CONFIG, 'utf8').replace(/"criSocket":"[^"]*",?/, '')
    writeFiles('/', [{ path: own, mode: 0o644, content: text }])
    return runInit(ground, ['--config', own, '--runtime', 'private', '--profile', profile, '--cache-dir', CACHE])
  }
}

async function runInit({ config, root, artifacts }: Ground, args: readonly string[]): Promise<Reached> {
  const init = [join(root, 'dist/init.mjs'), '--artifacts', artifacts, ...args]
  const start = performance.now()
  startDetached([process.execPath, ...init], `${FOLDER}/logs/init.log`)
  try {
    const reached = await observe(config, start, AbortSignal.timeout(ROUND_LIMIT_MS))
    while (processesWith([init[0] ?? '', artifacts]).length > 0) await sleep(20)
    return { ...reached, 'command ends': Math.round(performance.now() - start), ...(await timedReset()) }
  } catch (error) {
    await takeAway()
    throw error
  }
}

async function timedReset(): Promise<Reached> {
  const start = performance.now()
  await takeAway()
  return { reset: Math.round(performance.now() - start) }
}

function kubeadmInPlace(ground: Ground): Promise<Reached> {
  return withImages(ground, runtime => runKubeadm(ground, runtime, performance.now()))
}

async function kubeadmFromArchives(ground: Ground): Promise<Reached> {
  const binaries = await binariesOf(ground)
  const start = performance.now()
  const runtime = await startRuntime(ground.config, binaries.cniBinDir)
  try {
    await importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, binaries.imageArchives)
    return await runKubeadm(ground, runtime, start)
  } finally {
    await stopRuntime(runtime)
  }
}

/** kubeadm, with us in the place of the init system that starts the kubelet for it. */
async function runKubeadm(ground: Ground, runtime: Runtime, start: number): Promise<Reached> {
  const { config, kubeadm = 'kubeadm' } = ground
  openJournal(LAYOUT.journal).record(...(await plannedChanges(config, runtime)))
  const binaries = await binariesOf(ground)
  setSysctls(config.cluster.networking)
  await setRules(config)
  writeFiles('/', [podNetworkFile(config, runtime.cni.confDir)])
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  startDetached([kubeadm, 'init', '--config', CONFIG, '--ignore-preflight-errors=all'], `${FOLDER}/logs/kubeadm.log`)
  try {
    const watching = observe(config, start, deadline)
    watching.catch(() => {})
    while (!existsSync('/var/lib/kubelet/config.yaml') && !deadline.aborted) await sleep(20)
    await serviceManager().start(kubeletService(binaries.kubelet))
    const reached = await watching
    while (processesWith([kubeadm, CONFIG]).length > 0) await sleep(50)
    return reached
  } finally {
    await takeAway()
  }
}
