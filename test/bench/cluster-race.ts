/**
 * A cluster from nothing to ready, several rounds in turn: kubestep's two profiles and kubeadm, with the same
 * binaries, the same runtime, the same images in place and the same CNI configuration, watched from outside.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import type { Call } from '../../lib/cli/script.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { imageOf } from '../../lib/kubeadm/images/image-list.ts'
import { startDetached, which } from '../../lib/machine/command.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { readMachineFacts } from '../../lib/machine/host/machine.ts'
import { processesWith } from '../../lib/machine/host/processes.ts'
import { readHostFacts } from '../../lib/machine/host/read-facts.ts'
import { openJournal } from '../../lib/machine/journal.ts'
import { kubeletService } from '../../lib/machine/service/kubelet-service.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { type SupervisorFolders, supervisor } from '../../lib/machine/service/supervisor.ts'
import { loadImages } from '../../lib/phases/init/cluster-images.ts'
import { leftLines } from '../../lib/phases/reset/stay.ts'
import { undoAll } from '../../lib/phases/reset/undo-all.ts'
import { adaptToMachine } from '../../lib/phases/run/adapt.ts'
import { requireRoot } from '../../lib/phases/run/alone.ts'
import { provideBinaries } from '../../lib/phases/run/binaries.ts'
import { setRules, setSysctls } from '../../lib/phases/run/kernel.ts'
import { podNetworkFile } from '../../lib/phases/run/node-files.ts'
import { plannedChanges } from '../../lib/phases/run/planned-changes.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { openRuntime, type Runtime } from '../../lib/supply/runtime/runtime.ts'
import { MILESTONES, observe } from './milestones.ts'
import { picture } from './picture.ts'
import { median } from './race.ts'

const FOLDER = '/var/lib/kubestep-bench'
const FOLDERS: SupervisorFolders = { scripts: `${FOLDER}/services`, run: `${FOLDER}/run`, logs: `${FOLDER}/logs` }
const RUNTIME = 'kubestep-bench-containerd'
const SOCKET = `${FOLDER}/run/containerd.sock`
const CONFIG = `${FOLDER}/kubeadm.yaml`
const ROUND_LIMIT_MS = 180_000

export interface ClusterRow {
  readonly name: string
  /** Median milliseconds to each milestone. */
  readonly medians: Readonly<Record<string, number>>
  /** The same, divided by kubeadm's, where it took part. */
  readonly toKubeadm?: Readonly<Record<string, number>>
  readonly rounds: readonly Readonly<Record<string, number>>[]
}

/** Runs the races and writes `bench-cluster.json` and `.svg`. Throws a KubestepError. */
export async function benchCluster(call: Call, root: string): Promise<void> {
  requireRoot('bench')
  const { flags, output } = call
  if (flags.artifacts === undefined) {
    throw new KubestepError(
      'bench: cannot race: images and binaries have to be in place; name their folder with --artifacts',
    )
  }
  const kubeadm = [join(flags.artifacts, 'bin/kubeadm'), which('kubeadm')].find(
    path => path !== undefined && existsSync(path),
  )
  const config = writeConfig()
  const runtime = await startRuntime(config, call)
  const names = ['kubestep --profile ci', 'kubestep --profile kubeadm', ...(kubeadm === undefined ? [] : ['kubeadm'])]
  const rounds = new Map<string, Record<string, number>[]>(names.map(name => [name, []]))
  try {
    for (let round = 1; round <= Number(flags.rounds ?? 5); round++) {
      for (const name of names) {
        const reached =
          name === 'kubeadm'
            ? await runKubeadm(kubeadm ?? '', config, runtime, call)
            : await runKubestep(name.split(' ').at(-1) ?? '', config, root, call)
        rounds.get(name)?.push(reached)
        output.say(
          `[bench] round ${round}, ${name}: ${MILESTONES.map(([, what]) => `${what} ${reached[what]} ms`).join(', ')}`,
        )
      }
    }
  } finally {
    await stopRuntime(runtime)
  }
  const rows = summarise(rounds)
  const folder = resolve(flags['output-dir'] ?? '.')
  writeFiles('/', [
    {
      path: join(folder, 'bench-cluster.json'),
      mode: 0o644,
      content: `${JSON.stringify(rows, null, 2)}\n`,
    },
    { path: join(folder, 'bench-cluster.svg'), mode: 0o644, content: picture(rows) },
  ])
  output.result(
    `${JSON.stringify(
      rows.map(({ name, medians, toKubeadm }) => ({ name, medians, toKubeadm })),
      null,
      2,
    )}\n`,
  )
}

/** The configuration that all get: nothing but what one node and this machine need. */
function writeConfig(): InitConfig {
  const facts = readHostFacts('/')
  const nameserver = `${FOLDER}/resolv.conf`
  const documents = (kubelet: object): string =>
    [
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'InitConfiguration',
        nodeRegistration: { criSocket: `unix://${SOCKET}`, taints: [] },
      },
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'ClusterConfiguration',
        kubernetesVersion: 'v1.36.2',
        networking: { podSubnet: '10.244.0.0/16' },
      },
      { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', resolvConf: nameserver, ...kubelet },
    ]
      .map(document => JSON.stringify(document))
      .join('\n---\n')
  const plain = loadInitConfig({ text: documents({}), file: CONFIG }, facts).config
  // kubeadm does not adapt to the machine, so what kubestep would find out is written down for both.
  const { config } = adaptToMachine(plain, readMachineFacts())
  writeFiles('/', [
    { path: CONFIG, mode: 0o644, content: documents(config.kubelet.document) },
    // CoreDNS must have somebody to forward to; nobody listens there.
    { path: nameserver, mode: 0o644, content: `nameserver ${config.init.localAPIEndpoint.advertiseAddress}\n` },
  ])
  return config
}

async function startRuntime(config: InitConfig, call: Call): Promise<Runtime> {
  const machine = readMachineFacts()
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, deadline)
  const text = containerdConfig({
    root: `${FOLDER}/containerd`,
    state: `${FOLDER}/run/containerd`,
    socket: SOCKET,
    cniBinDir: binaries.cniBinDir,
    cniConfDir: `${FOLDER}/net.d`,
    runc: which('runc') ?? 'runc',
    pauseImage: imageOf('pause', config),
    cgroupDriver: machine.systemd ? 'systemd' : 'cgroupfs',
    restrictOomScore: !machine.mayLowerOomScore,
  })
  writeFiles('/', [{ path: `${FOLDER}/config.toml`, mode: 0o644, content: text }])
  mkdirSync(`${FOLDER}/net.d`, { recursive: true })
  await supervisor(FOLDERS).start({
    name: RUNTIME,
    about: 'container runtime of a benchmark',
    command: [which('containerd') ?? 'containerd', '--config', `${FOLDER}/config.toml`],
    restartDelayMs: 1000,
  })
  for (;;) {
    const runtime = await openRuntime(`unix://${SOCKET}`, false).catch(() => undefined)
    if (runtime !== undefined) {
      await loadImages(runtime, config, { archives: binaries.imageArchives }).all
      return runtime
    }
    if (deadline.aborted)
      throw new KubestepError('bench: cannot start containerd; see its log in /var/lib/kubestep-bench/logs')
    await sleep(100)
  }
}

async function stopRuntime(runtime: Runtime): Promise<void> {
  runtime.cri.close()
  await supervisor(FOLDERS).remove(RUNTIME)
  rmSync(FOLDER, { recursive: true, force: true })
  rmSync(LAYOUT.state, { recursive: true, force: true })
}

async function runKubestep(
  profile: string,
  config: InitConfig,
  root: string,
  { flags }: Call,
): Promise<Record<string, number>> {
  const log = `${FOLDER}/logs/init.log`
  const init = [
    join(root, 'dist/init.mjs'),
    '--config',
    CONFIG,
    '--runtime',
    `unix://${SOCKET}`,
    '--artifacts',
    flags.artifacts ?? '',
    '--profile',
    profile,
  ]
  const start = performance.now()
  startDetached([process.execPath, ...init], log)
  try {
    return await observe(config, start, AbortSignal.timeout(ROUND_LIMIT_MS))
  } finally {
    while (processesWith([init[0] ?? '', CONFIG]).length > 0) await sleep(50)
    await takeAway()
  }
}

/** kubeadm, with us in the place of the init system that starts the kubelet for it. */
async function runKubeadm(
  kubeadm: string,
  config: InitConfig,
  runtime: Runtime,
  call: Call,
): Promise<Record<string, number>> {
  const journal = openJournal(LAYOUT.journal)
  journal.record(...(await plannedChanges(config, runtime)))
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, AbortSignal.timeout(ROUND_LIMIT_MS))
  setSysctls(config.cluster.networking)
  await setRules(config)
  writeFiles('/', [podNetworkFile(config, runtime.cni.confDir)])
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  const start = performance.now()
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

async function takeAway(): Promise<void> {
  const quiet = { detail: () => {}, note: () => {} }
  const left = await undoAll(openJournal(LAYOUT.journal), quiet)
  if (left.length > 0) throw new KubestepError(leftLines(left).join('\n'))
}

function summarise(rounds: ReadonlyMap<string, readonly Record<string, number>[]>): ClusterRow[] {
  const mediansOf = (name: string): Record<string, number> =>
    Object.fromEntries(
      MILESTONES.map(([, what]) => [
        what,
        median((rounds.get(name) ?? []).map(reached => reached[what] ?? Number.NaN)),
      ]),
    )
  const base = rounds.has('kubeadm') ? mediansOf('kubeadm') : undefined
  return [...rounds].map(([name, all]) => {
    const medians = mediansOf(name)
    const ratios =
      base &&
      Object.fromEntries(
        Object.entries(medians).map(([what, value]) => [what, Number((value / (base[what] ?? 1)).toFixed(2))]),
      )
    return { name, medians, ...(ratios && { toKubeadm: ratios }), rounds: all }
  })
}
