/** The kubelet of this node with its new configuration and, where it is one of ours, its new program. */
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { conditionOf } from '../../cluster/api/condition.ts'
import { writeFiles } from '../../machine/files.ts'
import { commandLine, processesWith } from '../../machine/host/processes.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { keepFile } from '../run/kept-program.ts'
import { recordFiles } from '../run/record-changes.ts'
import { type ChangedFile, entryOf } from './unfinished.ts'

/** Programs of ours: the kubelet, and kubectl where it came along. */
export const PROGRAMS = ['kubelet', 'kubectl'] as const

/** Where what was there before is kept until the upgrade is done. */
const ASIDE = `${LAYOUT.upgrade}/bin`

/** Whether the kubelet that runs here is one that this project put there; there may be one of a package beside it. */
export function isOurKubelet(): boolean {
  const place = join(LAYOUT.binaries, 'kubelet')
  const running = processesWith([`--kubeconfig=${KUBERNETES.kubeletConf}`], { program: /^kubelet$/ })
  return existsSync(place) && (running.length === 0 || running.some(pid => commandLine(pid)[0] === place))
}

/** Whether this upgrade has put another one there. */
export function isKubeletReplaced(): boolean {
  return existsSync(join(ASIDE, 'before', 'kubelet'))
}

/** Keeps new programs at hand, on this machine's own disk. Throws a KubestepError. */
export function stageProgram(name: (typeof PROGRAMS)[number], source: string): string {
  return keepFile(join(ASIDE, 'after', name), source)
}

/** Writes the files, puts the program in place, starts the kubelet again. Throws a KubestepError. */
export async function startNewKubelet(files: readonly ChangedFile[]): Promise<void> {
  for (const name of PROGRAMS) {
    const [place, staged] = [join(LAYOUT.binaries, name), join(ASIDE, 'after', name)]
    if (!existsSync(staged)) continue
    if (existsSync(place)) keepAside(place, join(ASIDE, 'before', name))
    keepFile(place, staged)
  }
  recordFiles(files.map(({ path }) => path))
  writeFiles('/', files.map(entryOf))
  await restart()
}

/** The same the other way round. Throws a KubestepError. */
export async function startOldKubelet(files: readonly ChangedFile[]): Promise<void> {
  for (const name of PROGRAMS) {
    const kept = join(ASIDE, 'before', name)
    if (existsSync(kept)) keepFile(join(LAYOUT.binaries, name), kept)
  }
  for (const { path, before, mode } of files) {
    if (before === undefined) rmSync(path, { force: true })
    else writeFiles('/', [{ path, mode, content: before }])
  }
  await restart()
}

const POLL_MS = 200

/** Waits until the Node is Ready, of that version where one is given; gives its kubelet's. Throws a KubestepError that says what it is. */
export async function awaitNode(
  api: Api,
  name: string,
  version: string | undefined,
  deadline: AbortSignal,
): Promise<string> {
  for (;;) {
    const node = await api.get(`/api/v1/nodes/${name}`).catch(() => undefined)
    const ready = conditionOf(node, 'Ready')
    const info = isObject(node?.status) ? node.status.nodeInfo : undefined
    const runs = isObject(info) ? info.kubeletVersion : undefined
    const isReady = ready?.status === 'True'
    if (isReady && (version === undefined || runs === version)) return String(runs)
    if (deadline.aborted) {
      const state = ready !== undefined ? `Ready is ${ready.status}: ${ready.message}` : 'it says nothing of itself'
      throw new KubestepError(`upgrade: cannot bring node "${name}" up in time: ${state}; its kubelet is ${runs}`)
    }
    await sleep(POLL_MS)
  }
}

async function restart(): Promise<void> {
  if (await serviceManager().restart(KUBELET)) return
  throw new KubestepError(
    'upgrade: cannot start the kubelet again: there is no service of that name; start it, then run this again',
  )
}

function keepAside(path: string, aside: string): void {
  if (existsSync(aside)) return
  mkdirSync(join(aside, '..'), { recursive: true, mode: 0o700 })
  try {
    linkSync(path, aside)
  } catch {
    copyFileSync(path, aside)
  }
}
