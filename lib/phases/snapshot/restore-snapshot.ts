/**
 * A snapshot back into etcd: `etcd snapshot restore`. Only etcd's own tool can make a data folder of one, so that has to be
 * there: etcdutl, or etcdctl until 3.5.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError, UsageError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import type { Call } from '../../cli/script.ts'
import { STATIC_PODS } from '../../cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import { $, which } from '../../machine/command.ts'
import { explain } from '../../machine/files.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { endContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { unreachedGate } from '../run/healthy-again.ts'
import { type LiveConfig, liveConfig } from '../run/live-config.ts'
import { alone } from '../run/machine-session.ts'

export const RESTORE_SUBCOMMAND: Subcommand = {
  name: 'snapshot restore',
  about: "Put a snapshot in the place of what this node's etcd holds; that is kept aside",
  options: ['etcdutl', 'config', 'cert-dir', 'kubeconfig', 'timeout'],
}

/** How etcd runs here, from its static Pod. */
interface Member {
  readonly name: string
  readonly peerUrl: string
  readonly dataDir: string
}

/** Throws a KubestepError: before etcd is stopped nothing has changed, and afterwards it says where the old data lie. */
export async function restoreSnapshot(call: Call): Promise<void> {
  const [file, ...more] = call.positionals
  if (file === undefined || more.length > 0) {
    throw new UsageError('etcd: cannot restore a snapshot: one FILE has to say which; name it')
  }
  const tool = call.flags.etcdutl ?? which('etcdutl') ?? which('etcdctl')
  if (tool === undefined) {
    throw new KubestepError(
      'etcd: cannot restore a snapshot: there is no etcdutl on the PATH; take it from the image of etcd or from a release of it, and name it with --etcdutl',
    )
  }
  const advice = 'run it again: what etcd held before lies beside the new data'
  await alone('etcd', advice, async () => {
    const snapshot = resolve(file)
    await checkSnapshot(snapshot)
    const live = await liveConfig(call, 'etcd', call.output.detail)
    const member = memberOf(live.read)
    await restore(snapshot, tool, member, live, call)
  })
}

async function restore(file: string, tool: string, member: Member, live: LiveConfig, call: Call): Promise<void> {
  const { output, flags } = call
  const { name, peerUrl, dataDir } = member
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  const [fresh, aside] = [join(dataDir, `.restored-${stamp}`), join(dataDir, `.before-${stamp}`)]
  const socket = clusterSocket()
  if (socket === undefined) {
    throw new KubestepError('etcd: cannot stop etcd: the runtime of this cluster is not known; run it where init ran')
  }
  try {
    const what = 'etcd: cannot make a data folder of the snapshot'
    const env = { ETCDCTL_API: '3' }
    await $({
      what,
      env,
    })`${tool} snapshot restore ${file} --data-dir ${fresh} --name ${name} --initial-cluster ${`${name}=${peerUrl}`} --initial-advertise-peer-urls ${peerUrl}`
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
  output.say('[etcd] Stopping the kubelet and the control plane')
  const services = serviceManager()
  await services.stop(KUBELET)
  try {
    const cri = await openCri(socket)
    try {
      const running = (await podContainers(cri)).filter(
        one => one.namespace === 'kube-system' && one.state === 'running' && STATIC_PODS.some(pod => pod === one.name),
      )
      await Promise.all(running.map(one => endContainer(cri, one.id)))
    } finally {
      cri.close()
    }
    swap(dataDir, fresh, aside)
  } finally {
    await services.restart(KUBELET)
  }
  output.say(`[etcd] The snapshot is in place; what etcd held before is in "${aside}"`)
  await waitUntilHealthy(live, flags.timeout)
  output.say('[etcd] The control plane is healthy with what the snapshot holds')
}

/** Both on one file system: a moment in which neither is there cannot be had shorter. */
function swap(dataDir: string, fresh: string, aside: string): void {
  try {
    mkdirSync(aside, { mode: 0o700 })
    if (existsSync(join(dataDir, 'member'))) renameSync(join(dataDir, 'member'), join(aside, 'member'))
    renameSync(join(fresh, 'member'), join(dataDir, 'member'))
    rmSync(fresh, { recursive: true })
  } catch (error) {
    throw new KubestepError(
      `etcd: cannot put "${fresh}" in place of "${dataDir}/member": ${explain(error)}; the old data are there, or in "${aside}"`,
      { cause: error },
    )
  }
}

async function waitUntilHealthy(live: LiveConfig, timeout?: string): Promise<void> {
  const limit = timeout ?? live.config.init.timeouts.controlPlaneComponentHealthCheck
  const deadline = AbortSignal.timeout(timerMilliseconds(limit))
  const broken = await unreachedGate('api,control-plane,node', live, deadline)
  if (broken === undefined) return
  throw new KubestepError(
    `etcd: cannot see that the control plane is healthy: ${broken}; the snapshot is in place, look at it with the logs script`,
  )
}

/** etcd as its static Pod starts it. Throws a KubestepError where this node has none. */
function memberOf(read: LiveConfig['read']): Member {
  const path = `${KUBERNETES.manifests}/etcd.yaml`
  const pod = parse(read(path) ?? '')
  const argument = (name: string): string => {
    const found = podArgument(pod, name)
    if (found !== undefined) return found
    throw new KubestepError(
      `etcd: cannot restore a snapshot: "${path}" has no --${name}; an etcd that is elsewhere is restored there`,
    )
  }
  return { name: argument('name'), peerUrl: argument('initial-advertise-peer-urls'), dataDir: argument('data-dir') }
}

const DIGEST_LENGTH = 32

/** A snapshot ends with the SHA-256 of what comes before. Throws a KubestepError where it does not, or cannot be read. */
export async function checkSnapshot(file: string): Promise<void> {
  let reason = 'it is no snapshot, or not a whole one; take another'
  try {
    const end = statSync(file).size - DIGEST_LENGTH
    const hash = createHash('sha256')
    const tail: Buffer[] = []
    if (end > 0) {
      for await (const piece of createReadStream(file, { end: end - 1 })) hash.update(piece as Buffer)
      for await (const piece of createReadStream(file, { start: end })) tail.push(piece as Buffer)
      if (Buffer.concat(tail).equals(hash.digest())) return
    }
  } catch (error) {
    reason = explain(error)
  }
  throw new KubestepError(`etcd: cannot restore "${file}": ${reason}`)
}
