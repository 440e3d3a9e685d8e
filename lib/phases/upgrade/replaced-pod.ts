/** A static Pod replaced: its manifest written, and the new one waited for, at the runtime and at its own health. */
import { rmSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { brokenText } from '../../cluster/diagnose/broken-link.ts'
import type { DiagnosisContext } from '../../cluster/diagnose/diagnosis-context.ts'
import { lookAtStaticPod } from '../../cluster/diagnose/static-pod-link.ts'
import { GATES, type Gate, type GateContext } from '../../cluster/ready/gates.ts'
import type { ComponentName } from '../../kubeadm/manifests/static-pods.ts'
import { type FileEntry, writeFiles } from '../../machine/files.ts'
import { listens } from '../../machine/network/listens.ts'
import { type Cri, openCri } from '../../supply/cri/cri-client.ts'
import { endContainer, type PodContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { helpChanged } from '../run/changed-manifests.ts'

/** All of it is asked on this machine, so often costs little. */
const POLL_MS = 100

/** Who ends this often does not come up. */
const MANY_ENDS = 3

/** What tells that a component serves; etcd says it itself, because the API server may be the next that is broken. */
const GATE_OF: Readonly<Record<Exclude<ComponentName, 'etcd'>, Gate['name']>> = {
  'kube-apiserver': 'api',
  'kube-controller-manager': 'control-plane',
  'kube-scheduler': 'control-plane',
}

export interface PodWatch {
  readonly api: Api
  readonly gates: GateContext
  /** Whether etcd serves; else why not. */
  readonly lookAtEtcd: () => Promise<true | string>
  readonly diagnosis: DiagnosisContext
  /** How long the next Pod may take. */
  readonly limitMs: () => number
  readonly say: (line: string) => void
}

/** Writes a manifest and waits for its Pod. Throws a KubestepError with the component's last words. */
export async function replacePod(component: ComponentName, manifest: FileEntry, watch: PodWatch): Promise<void> {
  const cri = await openCri(socketOf(watch))
  try {
    const old = (await containersOf(component, cri)).map(({ id }) => id)
    writeFiles('/', [manifest])
    await awaitPod(component, old, cri, watch)
  } finally {
    cri.close()
  }
}

/** Takes a manifest away and waits until none of its containers runs. Throws a KubestepError. */
export async function stopPod(component: ComponentName, path: string, watch: PodWatch): Promise<void> {
  const cri = await openCri(socketOf(watch))
  try {
    rmSync(path, { force: true })
    const deadline = AbortSignal.timeout(watch.limitMs())
    const began = performance.now()
    for (;;) {
      const running = (await containersOf(component, cri)).filter(({ state }) => state === 'running')
      if (running.length === 0) return
      await endClosed(component, running, began, cri, watch)
      if (deadline.aborted)
        throw new KubestepError(`upgrade: cannot stop ${component} in time: the kubelet lets it run; is it alive?`)
      await sleep(POLL_MS)
    }
  } finally {
    cri.close()
  }
}

/** How long the kubelet may take to see that a manifest is another. */
const SEES_WITHIN_MS = 2_000

/** What is left for the last requests of an API server. */
const LAST_REQUESTS_SECONDS = 3

/**
 * Ends API servers that the kubelet has told to end, which is why they have closed their port: what still watches would
 * hold each of them for half a minute, and the next one starts no sooner.
 */
async function endClosed(
  component: ComponentName,
  going: readonly PodContainer[],
  began: number,
  cri: Cri,
  { api }: PodWatch,
): Promise<void> {
  if (component !== 'kube-apiserver' || performance.now() - began < SEES_WITHIN_MS) return
  if (going.length === 0 || (await listens(api.server))) return
  // The kubelet ends them, too, and may be the quicker one.
  await Promise.all(going.map(({ id }) => endContainer(cri, id, LAST_REQUESTS_SECONDS).catch(() => {})))
}

/**
 * Takes an API server away that is going to be replaced as well, before etcd goes: one that hangs without etcd keeps the
 * kubelet waiting half a minute for each request about a static Pod, one that is not there does not. Throws a KubestepError.
 */
export async function stopApiServer(
  files: readonly { readonly component?: ComponentName; readonly path: string }[],
  watch: PodWatch,
): Promise<void> {
  const file = files.find(({ component }) => component === 'kube-apiserver')
  if (file !== undefined) await stopPod('kube-apiserver', file.path, watch)
}

/** Waits for a Pod whose manifest was written before. Throws a KubestepError with the component's last words. */
export async function awaitWrittenPod(component: ComponentName, path: string, watch: PodWatch): Promise<void> {
  const cri = await openCri(socketOf(watch))
  try {
    const written = statSync(path).mtimeMs
    const old = (await containersOf(component, cri)).filter(({ createdAt }) => createdAt / 1e6 < written)
    await awaitPod(
      component,
      old.map(({ id }) => id),
      cri,
      watch,
    )
  } finally {
    cri.close()
  }
}

async function awaitPod(component: ComponentName, old: readonly string[], cri: Cri, watch: PodWatch): Promise<void> {
  const gate = component === 'etcd' ? undefined : GATES.find(({ name }) => name === GATE_OF[component])
  const look = (): Promise<true | string> | undefined =>
    component === 'etcd' ? watch.lookAtEtcd() : gate?.check(watch.gates)
  const deadline = AbortSignal.timeout(watch.limitMs())
  const began = performance.now()
  const stop = new AbortController()
  const helping = helpChanged(watch.diagnosis, watch.api, stop.signal, watch.say)
  try {
    for (;;) {
      const all = await containersOf(component, cri)
      const going = all.filter(({ id, state }) => old.includes(id) && state === 'running')
      await endClosed(component, going, began, cri, watch)
      const [newest] = all.filter(({ id }) => !old.includes(id))
      const verdict =
        newest?.state === 'running'
          ? await look()?.catch(() => 'it does not answer')
          : 'its new container has not started'
      if (verdict === true) return
      const ends = newest === undefined ? 0 : newest.attempt + (newest.state === 'exited' ? 1 : 0)
      if (ends >= MANY_ENDS || deadline.aborted) throw await notUp(component, String(verdict), cri, watch.diagnosis)
      await sleep(POLL_MS)
    }
  } finally {
    stop.abort()
    await helping
  }
}

function socketOf({ diagnosis }: PodWatch): string {
  return diagnosis.cri?.socket ?? ''
}

async function notUp(
  component: ComponentName,
  verdict: string,
  cri: Cri,
  context: DiagnosisContext,
): Promise<KubestepError> {
  const pod = context.staticPods.find(({ name }) => name === component)
  const finding = pod && (await lookAtStaticPod(pod, cri, context).catch(() => undefined))
  const cause = finding === undefined ? verdict : brokenText({ link: component, ...finding })
  return new KubestepError(`upgrade: cannot replace ${component}: it does not come up: ${cause}`)
}

async function containersOf(component: ComponentName, cri: Cri): Promise<readonly PodContainer[]> {
  const all = await podContainers(cri)
  return all.filter(({ name, namespace }) => name === component && namespace === 'kube-system')
}
