/** Who races, on which road: images in the runtime already, archives for the first time, archives once more, a mirror. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import { architecture } from '../../lib/base/platform.ts'
import type { Call } from '../../lib/cli/script.ts'
import { $, startDetached, which } from '../../lib/machine/command.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { openJournal } from '../../lib/machine/journal.ts'
import { kubeletService } from '../../lib/machine/service/kubelet-service.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { type Binaries, provideBinaries } from '../../lib/phases/run/binaries.ts'
import { setRules, setSysctls } from '../../lib/phases/run/kernel-settings.ts'
import { plannedChanges } from '../../lib/phases/run/planned-changes.ts'
import { podNetworkFile } from '../../lib/phases/run/pod-network-file.ts'
import { readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { placeArchive } from '../../lib/supply/load/place-archive.ts'
import { importArchives } from '../../lib/supply/runtime/import-archives.ts'
import { registryFiles } from '../../lib/supply/runtime/registry-folder.ts'
import type { Runtime } from '../../lib/supply/runtime/runtime.ts'
import { bareLimit } from './bare-limit.ts'
import { CONFIG, FOLDER, ROOT, ROUND_LIMIT_MS, SOCKET, startRuntime, stopRuntime, takeAway } from './ground.ts'
import { observe } from './milestones.ts'
import type { Mirror } from './mirror.ts'
import type { Marks } from './path-picture.ts'
import { openUsage, type Usage } from './usage.ts'

/** What a race is about. */
export interface Ground {
  readonly config: InitConfig
  readonly call: Call
  /** The checkout whose bundles race. */
  readonly root: string
  readonly artifacts: string
  readonly kubeadm?: string
  readonly mirror: Mirror
  /** Gets what an init says of its own time. */
  readonly onMarks?: (marks: Marks) => void
}

export type Reached = Readonly<Record<string, number>>

export interface Contestant {
  readonly name: string
  readonly road: 'in place' | 'first' | 'again' | 'mirror' | 'limit'
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
  ...PROFILES.map(
    (profile): Contestant => ({ name: `kubestep --profile ${profile}`, road: 'mirror', run: fromMirror(profile) }),
  ),
  { name: 'curl, kubeadm', road: 'mirror', run: kubeadmFromMirror },
]

export const CACHE: string = `${FOLDER}/cache`

/** With the images in a runtime that has come to rest: what an import has not written yet would be written meanwhile. */
export async function withImages<Result>(
  { config, call, artifacts }: Ground,
  work: (runtime: Runtime, binaries: Binaries) => Promise<Result>,
): Promise<Result> {
  const binaries = await binariesOf({ config, call })
  const runtime = await startRuntime(config, binaries.cniBinDir)
  try {
    for (const archive of readdirSync(join(artifacts, 'images')))
      await placeArchive(runtime, ROOT, join(artifacts, 'images', archive), `linux/${architecture()}`)
    await $`sync`
    return await work(runtime, binaries)
  } finally {
    await stopRuntime(runtime)
  }
}

function binariesOf({ config, call }: Pick<Ground, 'config' | 'call'>): Promise<Binaries> {
  return provideBinaries(config.cluster.kubernetesVersion, call, AbortSignal.timeout(ROUND_LIMIT_MS))
}

function inPlace(profile: string): Contestant['run'] {
  return ground =>
    withImages(ground, () =>
      runInit(ground, [
        ...['--artifacts', ground.artifacts, '--config', CONFIG],
        ...['--runtime', `unix://${SOCKET}`, '--profile', profile],
      ]),
    )
}

function fromArchives(profile: string, isFirst: boolean): Contestant['run'] {
  return ground => {
    if (isFirst) rmSync(CACHE, { recursive: true, force: true })
    return runInit(ground, ['--artifacts', ground.artifacts, ...privateArgs(profile)])
  }
}

function fromMirror(profile: string): Contestant['run'] {
  return ground => {
    rmSync(CACHE, { recursive: true, force: true })
    const { url, lock } = ground.mirror
    return runInit(ground, ['--mirror', `${url},registry.k8s.io=${url}`, '--lock', lock, ...privateArgs(profile)])
  }
}

/** With a runtime of init's own: the same configuration but for the socket. */
export function privateArgs(profile: string): string[] {
  const own = `${FOLDER}/private.yaml`
  const text = readFileSync(CONFIG, 'utf8').replace(/"criSocket":"[^"]*",?/, '')
  writeFiles('/', [{ path: own, mode: 0o644, content: text }])
  return ['--config', own, '--runtime', 'private', '--profile', profile, '--cache-dir', CACHE]
}

/** Runs an init to its end, does `work` with the cluster, and takes it away. */
export async function runInit(
  { config, root, onMarks }: Ground,
  args: readonly string[],
  work?: () => Promise<Reached>,
): Promise<Reached> {
  const usage = await openUsage()
  const start = performance.now()
  const pid = startDetached([process.execPath, join(root, 'dist/init.mjs'), ...args], `${FOLDER}/logs/init.log`)
  usage.follow(pid)
  try {
    const reached = await observe(config, start, AbortSignal.timeout(ROUND_LIMIT_MS))
    while (existsSync(`/proc/${pid}`)) await sleep(20)
    const ended = { ...reached, 'command ends': Math.round(performance.now() - start), ...(await usage.end()) }
    onMarks?.((JSON.parse(readFileSync(LAYOUT.ready, 'utf8')) as { timings: Marks }).timings)
    return { ...ended, ...(await work?.()), ...(await timedReset()) }
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

async function kubeadmInPlace(ground: Ground): Promise<Reached> {
  return withImages(ground, async (runtime, binaries) =>
    runKubeadm(ground, runtime, binaries, { usage: await openUsage(), start: performance.now() }),
  )
}

export async function kubeadmFromArchives(ground: Ground, work?: () => Promise<Reached>): Promise<Reached> {
  const binaries = await binariesOf(ground)
  const run = { usage: await openUsage(), start: performance.now(), ...(work !== undefined && { work }) }
  const runtime = await startRuntime(ground.config, binaries.cniBinDir)
  try {
    await importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, binaries.images.there)
    return await runKubeadm(ground, runtime, binaries, run)
  } finally {
    await stopRuntime(runtime)
  }
}

async function kubeadmFromMirror(ground: Ground): Promise<Reached> {
  const { config, mirror } = ground
  const binaries = await binariesOf(ground)
  const hosts = `${FOLDER}/hosts`
  writeFiles('/', registryFiles(readMirrors(`registry.k8s.io=${mirror.url}`), hosts))
  const run = { usage: await openUsage(), start: performance.now() }
  const paths = Object.values(mirror.files)
  await Promise.all(paths.map(path => $`curl -sSf -o ${join(FOLDER, basename(path))} ${mirror.url}${path}`))
  const runtime = await startRuntime(config, binaries.cniBinDir, hosts)
  try {
    return await runKubeadm(ground, runtime, binaries, run)
  } finally {
    await stopRuntime(runtime)
  }
}

interface Run {
  readonly usage: Usage
  /** Of performance.now(). */
  readonly start: number
  readonly work?: () => Promise<Reached>
}

/** kubeadm, with us in the place of the init system that starts the kubelet for it. */
async function runKubeadm(
  { config, kubeadm = 'kubeadm' }: Ground,
  runtime: Runtime,
  { kubelet }: Binaries,
  { usage, start, work }: Run,
): Promise<Reached> {
  openJournal(LAYOUT.journal).record(...(await plannedChanges(config, runtime)))
  setSysctls(config.cluster.networking)
  await setRules(config)
  writeFiles('/', [podNetworkFile(config, runtime.cni.confDir)])
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  const command = [kubeadm, 'init', '--config', CONFIG, '--ignore-preflight-errors=all']
  const pid = startDetached(command, `${FOLDER}/logs/kubeadm.log`)
  try {
    const watching = observe(config, start, deadline)
    watching.catch(() => {})
    while (!existsSync('/var/lib/kubelet/config.yaml') && !deadline.aborted) await sleep(20)
    await serviceManager().start(kubeletService(kubelet))
    const reached = await watching
    while (existsSync(`/proc/${pid}`)) await sleep(20)
    const ended = { ...reached, 'command ends': Math.round(performance.now() - start), ...(await usage.end()) }
    return { ...ended, ...(await work?.()) }
  } finally {
    await takeAway()
  }
}
