/** Moments on the road of an init and of a reset, in order, by what can be seen of them: where tests interrupt. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LAYOUT } from '../../lib/base/paths.ts'
import { KUBELET } from '../../lib/machine/service/kubelet-service.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { PRIVATE_RUNTIME } from '../../lib/supply/runtime/private-runtime.ts'
import type { Running } from './programs.ts'

export interface Moment {
  readonly about: string
  readonly reached: () => boolean
}

const file = (path: string) => (): boolean => existsSync(path)
const gone = (path: string) => (): boolean => !existsSync(path)

/** The first file that the service manager of this machine writes for a service. */
function serviceFile(name: string): string {
  return serviceManager().files({ name, about: '', command: [], restartDelayMs: 0 })[0]?.path ?? ''
}

/** Of an init. */
export const MOMENTS: readonly Moment[] = [
  { about: 'its record is begun', reached: file(LAYOUT.journal) },
  { about: 'the runtime starts', reached: file(serviceFile(PRIVATE_RUNTIME)) },
  { about: 'images come in', reached: file(`${LAYOUT.containerd.root}/io.containerd.metadata.v1.bolt/meta.db`) },
  { about: 'certificates are written', reached: file('/etc/kubernetes/pki/ca.crt') },
  { about: 'static Pods are written', reached: file('/etc/kubernetes/manifests/kube-apiserver.yaml') },
  { about: 'the kubelet starts', reached: file(serviceFile(KUBELET)) },
  { about: 'etcd runs', reached: file('/var/lib/etcd/member') },
  { about: 'the API server answers', reached: file('/etc/kubernetes/manifests/kube-scheduler.yaml') },
  { about: 'kube-proxy has set rules', reached: () => hasRule('KUBE-SERVICES') },
  { about: 'a Pod has its network', reached: file('/sys/class/net/cni0') },
]

/** Of a reset. */
export const RESET_MOMENTS: readonly Moment[] = [
  { about: 'the kubelet is gone', reached: gone(serviceFile(KUBELET)) },
  { about: 'the runtime is gone', reached: gone(serviceFile(PRIVATE_RUNTIME)) },
  { about: 'folders go', reached: gone('/etc/kubernetes/manifests') },
]

/** The moment of an init with these words. */
export function momentWhen(about: string): Moment {
  const moment = MOMENTS.find(one => one.about === about)
  if (moment === undefined) throw new Error(`no moment "${about}"`)
  return moment
}

/** Waits until a moment has come; throws when the program has ended before. */
export async function waitFor({ about, reached }: Moment, { ended }: Running): Promise<void> {
  const over: { said?: string } = {}
  void ended.then(({ stdout, stderr }) => {
    over.said = stdout + stderr
  })
  while (!reached()) {
    if (over.said !== undefined) throw new Error(`it ended before ${about}: ${over.said}`)
    await sleep(10)
  }
}

function hasRule(text: string): boolean {
  try {
    return execFileSync('iptables-save', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(text)
  } catch {
    return false
  }
}
