/** What all contestants of a race stand on: one configuration, one containerd beside the machine's own, one way to tidy up. */
import { mkdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { imageOf } from '../../lib/kubeadm/images/image-list.ts'
import { which } from '../../lib/machine/command.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { readMachineFacts } from '../../lib/machine/host/machine.ts'
import { readHostFacts } from '../../lib/machine/host/read-facts.ts'
import { openJournal } from '../../lib/machine/journal.ts'
import { type SupervisorFolders, supervisor } from '../../lib/machine/service/supervisor.ts'
import { undoAll } from '../../lib/phases/reset/undo-all.ts'
import { leftLines } from '../../lib/phases/reset/what-stays.ts'
import { adaptToMachine } from '../../lib/phases/run/machine-adaptations.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { openRuntime, type Runtime } from '../../lib/supply/runtime/runtime.ts'

export const FOLDER = '/var/lib/kubestep-bench'
const FOLDERS: SupervisorFolders = { scripts: `${FOLDER}/services`, run: `${FOLDER}/run`, logs: `${FOLDER}/logs` }
const RUNTIME = 'kubestep-bench-containerd'
/** Of the containerd that is not the machine's own. */
export const ROOT: string = `${FOLDER}/containerd`
export const SOCKET: string = `${FOLDER}/run/containerd.sock`
export const CONFIG: string = `${FOLDER}/kubeadm.yaml`

/** How long one round of one contestant may take. */
export const ROUND_LIMIT_MS = 300_000

/** The configuration that all get: nothing but what one node and this machine need, and `more` of the kubelet's. */
export function writeConfig(more: JsonObject = {}): InitConfig {
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
      {
        apiVersion: 'kubelet.config.k8s.io/v1beta1',
        kind: 'KubeletConfiguration',
        resolvConf: nameserver,
        ...more,
        ...kubelet,
      },
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

/** Starts a containerd that is not the machine's own, without any images; with mirrors in a folder. Throws a KubestepError. */
export async function startRuntime(config: InitConfig, cniBinDir: string, registryConfig?: string): Promise<Runtime> {
  const machine = readMachineFacts()
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  const text = containerdConfig({
    root: ROOT,
    state: `${FOLDER}/run/containerd`,
    socket: SOCKET,
    cniBinDir,
    cniConfDir: `${FOLDER}/net.d`,
    runc: which('runc') ?? 'runc',
    pauseImage: imageOf('pause', config),
    cgroupDriver: machine.systemd ? 'systemd' : 'cgroupfs',
    restrictOomScore: !machine.mayLowerOomScore,
    ...(registryConfig !== undefined && { registryConfig }),
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
    if (runtime !== undefined) return runtime
    if (deadline.aborted) throw new KubestepError(`bench: cannot start containerd; see its log in ${FOLDER}/logs`)
    await sleep(50)
  }
}

/** Stops it and takes away what it had. */
export async function stopRuntime(runtime: Runtime): Promise<void> {
  runtime.cri.close()
  await supervisor(FOLDERS).remove(RUNTIME)
  rmSync(ROOT, { recursive: true, force: true })
}

/** Nothing of a race stays. */
export function clear(): void {
  for (const path of [FOLDER, LAYOUT.state, LAYOUT.run, LAYOUT.logs]) rmSync(path, { recursive: true, force: true })
}

/** Takes a cluster away. Throws a KubestepError with what stays. */
export async function takeAway(): Promise<void> {
  const quiet = { detail: () => {}, note: () => {} }
  const left = await undoAll(openJournal(LAYOUT.journal), quiet)
  if (left.length > 0) throw new KubestepError(leftLines(left).join('\n'))
}
