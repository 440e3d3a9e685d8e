/** A snapshot back into etcd: `etcd snapshot restore`. */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError, UsageError } from '../../base/errors.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import type { Call } from '../../cli/script.ts'
import { STATIC_PODS } from '../../cluster/diagnose/diagnosis-context.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import { explain } from '../../machine/files.ts'
import { listens } from '../../machine/network/listens.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { AGENT } from '../../machine/service/service.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { endContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { unreachedGate } from '../run/healthy-again.ts'
import { type LiveConfig, liveConfig } from '../run/live-config.ts'
import { alone } from '../run/machine-session.ts'
import { otherMembers, type RestoredMember, restoredMember } from './restored-member.ts'
import { checkSnapshot } from './snapshot-file.ts'
import { findTool, makeDataFolder } from './snapshot-tool.ts'

export const RESTORE_SUBCOMMAND: Subcommand = {
  name: 'snapshot restore',
  about: "Put a snapshot in the place of what this node's etcd holds; that is kept aside",
  options: ['etcdutl', 'config', 'cert-dir', 'kubeconfig', 'timeout'],
  positionals: 'FILE',
}

/** Throws a KubestepError: before etcd is stopped nothing has changed, and afterwards it says where the old data lie. */
export async function restoreSnapshot(call: Call): Promise<void> {
  const [file, ...more] = call.positionals
  if (file === undefined || more.length > 0) {
    throw new UsageError('etcd: cannot restore a snapshot: one FILE has to say which; name it')
  }
  const advice = 'run it again: what etcd held before lies beside the new data'
  await alone('etcd', advice, async () => {
    const snapshot = resolve(file)
    await checkSnapshot(snapshot)
    const live = await liveConfig(call, 'etcd', call.output.detail)
    const member = restoredMember(live.read)
    const socket = clusterSocket()
    if (socket === undefined) {
      throw new KubestepError('etcd: cannot stop etcd: the runtime of this cluster is not known; run it where init ran')
    }
    const others = await otherMembers(member, live)
    const living = (await Promise.all(others.map(async one => ((await listens(one.url)) ? one.name : [])))).flat()
    if (living.length > 0) {
      throw new KubestepError(
        `etcd: cannot restore a snapshot: ${names(living)} of the same etcd still run, and would go on with what they hold, as a second cluster; run the reset script on each, and let them join again when this is done`,
      )
    }
    const tool = await findTool(call.flags.etcdutl, socket, member.image)
    call.output.detail(`[etcd] Restoring with "${tool.program}"`)
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
    const fresh = join(member.dataDir, `${FRESH}${stamp}`)
    clearUnfinished(member)
    await makeDataFolder(tool, snapshot, fresh, member)
    const aside = join(member.dataDir, `.before-${stamp}`)
    await exchange(member, fresh, aside, socket, call)
    const before = existsSync(aside) ? `what etcd held before is in "${aside}"` : 'etcd held nothing before'
    call.output.say(`[etcd] The snapshot is in place; ${before}`)
    await waitUntilHealthy(live, before, call)
    call.output.say('[etcd] The control plane is healthy with what the snapshot holds')
    if (others.length > 0) {
      call.output.say(
        `[etcd] No members any more: ${names(others.map(({ name }) => name))}; run the reset script there, and let them join again`,
      )
    }
    if (!tool.raisesRevision) {
      await serviceManager().restart(AGENT)
      call.output.warn(
        'etcd: this etcdutl cannot raise the revision, so whatever watched the cluster may miss changes: start kube-proxy, CoreDNS, your controllers and the kubelets of other nodes again',
      )
    }
  })
}

function names(of: readonly string[]): string {
  return of.map(name => `"${name}"`).join(', ')
}

const FRESH = '.restored-'

/** What a restore that was killed has left. */
function clearUnfinished({ dataDir }: RestoredMember): void {
  if (!existsSync(dataDir)) return
  for (const name of readdirSync(dataDir).filter(one => one.startsWith(FRESH))) {
    rmSync(join(dataDir, name), { recursive: true, force: true })
  }
}

/** Stops what uses etcd's data, puts the new ones in their place, and starts it again. Throws a KubestepError. */
async function exchange(
  { dataDir }: RestoredMember,
  fresh: string,
  aside: string,
  socket: string,
  { output }: Call,
): Promise<void> {
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
    rmSync(fresh, { recursive: true, force: true })
    await services.restart(KUBELET)
  }
}

/** Both on one file system: a moment in which neither is there cannot be had shorter. */
function swap(dataDir: string, fresh: string, aside: string): void {
  try {
    if (existsSync(join(dataDir, 'member'))) {
      mkdirSync(aside, { mode: 0o700 })
      renameSync(join(dataDir, 'member'), join(aside, 'member'))
    }
    renameSync(join(fresh, 'member'), join(dataDir, 'member'))
  } catch (error) {
    throw new KubestepError(
      `etcd: cannot put "${fresh}" in place of "${dataDir}/member": ${explain(error)}; the old data are there, or in "${aside}"`,
      { cause: error },
    )
  }
}

async function waitUntilHealthy(live: LiveConfig, before: string, { flags }: Call): Promise<void> {
  const limit = flags.timeout ?? live.config.init.timeouts.controlPlaneComponentHealthCheck
  const deadline = AbortSignal.timeout(timerMilliseconds(limit))
  const broken = await unreachedGate('api,control-plane,node', live, deadline)
  if (broken === undefined) return
  throw new KubestepError(
    `etcd: cannot see that the control plane is healthy: ${broken}; the snapshot is in place, and ${before}; look at it with the logs script`,
  )
}
