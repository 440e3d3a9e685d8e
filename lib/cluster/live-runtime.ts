/** The runtime of a live cluster: chosen, started where it is ours, with the images that a cluster begins with. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../command.ts'
import type { InitConfig } from '../config/types.ts'
import { KubestepError } from '../errors.ts'
import type { MachineFacts } from '../host/machine.ts'
import { type ImageName, imageOf } from '../images/images.ts'
import { LAYOUT } from '../layout.ts'
import { importArchives, presentImages } from '../runtime/images.ts'
import { startPrivateRuntime } from '../runtime/private.ts'
import { criFault, type Runtime, type RuntimeChoice } from '../runtime/runtime.ts'
import type { ServiceManager } from '../service/service.ts'

/** The socket that a choice will serve, before it is started. */
export function socketOf(choice: RuntimeChoice): string {
  return choice.kind === 'socket' ? choice.socket : `unix://${LAYOUT.containerd.socket}`
}

/** Starts a private runtime, or takes the chosen one. Throws a KubestepError when it cannot carry the version. */
export async function openChosenRuntime(
  choice: RuntimeChoice,
  config: InitConfig,
  machine: MachineFacts,
  services: ServiceManager,
  cniBinDir: string,
): Promise<Runtime> {
  const runtime =
    choice.kind === 'socket'
      ? choice.runtime
      : await startPrivateRuntime(services, {
          pauseImage: imageOf('pause', config),
          cgroupDriver: machine.systemd ? 'systemd' : 'cgroupfs',
          restrictOomScore: !machine.mayLowerOomScore,
          cniBinDir,
        })
  const fault = criFault(runtime, config.version.minor)
  if (fault !== undefined) throw new KubestepError(`runtime: cannot use "${runtime.cri.socket}": ${fault}`)
  return runtime
}

/** What has to be there before the kubelet starts, and what may come while the control plane does. */
const FIRST: readonly ImageName[] = ['pause', 'etcd', 'kube-apiserver']

/** Archives of a folder in the order in which their images are needed. */
export function orderArchives(names: readonly string[]): { readonly first: string[]; readonly later: string[] } {
  const isFirst = (name: string): boolean => FIRST.some(image => name.includes(image))
  return { first: names.filter(isFirst), later: names.filter(name => !isFirst(name)) }
}

export interface ImageSteps {
  /** Ends when the images of the first static Pods are in the runtime. */
  readonly first: Promise<void>
  readonly all: Promise<void>
}

/** Puts the images of an artifacts folder into the runtime, the ones that are needed first ahead of the others. */
export function loadImages(runtime: Runtime, wanted: readonly string[], artifacts: string | undefined): ImageSteps {
  const present = presentImages(runtime.cri)
  const missing = present.then(there => wanted.filter(image => !there.has(image)))
  const { first, later } =
    artifacts === undefined
      ? { first: [], later: [] }
      : orderArchives(readdirSync(join(artifacts, 'images')).filter(isArchive).sort())
  const ctr = which('ctr') ?? 'ctr'
  const load = async (names: readonly string[]): Promise<void> => {
    if ((await missing).length === 0 || artifacts === undefined) return
    await importArchives(
      ctr,
      runtime.cri.socket,
      names.map(name => join(artifacts, 'images', name)),
    )
  }
  const firstLoaded = load(first)
  const all = firstLoaded
    .then(() => load(later))
    .then(async () => {
      const there = await presentImages(runtime.cri)
      const absent = wanted.filter(image => !there.has(image))
      if (absent.length === 0) return
      await Promise.all(absent.map(image => runtime.cri.call('PullImage', { image: { image } }, PULL_LIMIT_MS)))
    })
  all.catch(() => {})
  return { first: firstLoaded, all }
}

const PULL_LIMIT_MS = 10 * 60_000

function isArchive(name: string): boolean {
  return name.endsWith('.tar')
}
