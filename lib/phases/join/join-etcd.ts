/** Phases `check-etcd` and `etcd-join`: a member on this node that follows at first, and votes when it is level. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { objectOf } from '../../base/json.ts'
import type { Output } from '../../cli/output.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { type Etcd, EtcdError, type EtcdFault, reachEtcd } from '../../cluster/etcd/gateway.ts'
import type { MemberHealth } from '../../cluster/etcd/member-health.ts'
import {
  addLearner,
  type EtcdMember,
  listMembers,
  memberHex,
  promoteMember,
  removeMember,
} from '../../cluster/etcd/members.ts'
import { etcdPeerUrl } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { etcd as etcdPhase } from '../etcd.ts'
import { deliverFiles } from '../run/deliver.ts'
import { givenOf } from '../run/open-phase.ts'
import { openControlPlaneApi } from './admin-access.ts'
import { checkMembers, type EtcdCluster, learnerText, reachEtcdCluster } from './etcd-cluster.ts'
import type { JoinRun } from './join-run.ts'
import { makeManifestsLater } from './prepare-control-plane.ts'
import { untilServing } from './serving-member.ts'

const POLL_MS = 50

/** A member that somebody else adds starts within seconds. */
const STARTING_MS = 30_000

export async function checkEtcd(run: JoinRun): Promise<void> {
  const { call, dryRun } = run
  const node = await run.node()
  if (node.config.cluster.etcd.local === undefined) {
    call.output.say('[check-etcd] Skipping etcd check in external mode')
    if (!dryRun) await tellOfExternal(run)
    return
  }
  if (dryRun) {
    call.output.say('[dryrun] Would ensure that etcd is healthy')
    return
  }
  const cluster = await reach(run)
  try {
    await checkMembers(cluster, etcdPeerUrl(node.config))
    const voters = cluster.members.filter(({ isLearner }) => !isLearner)
    call.output.say(`[check-etcd] All ${voters.length} members of etcd answer`)
  } finally {
    cluster.etcd.close()
  }
}

/** Its API server would say so minutes later. One that does not serve everybody's HTTP is taken at its word. */
async function tellOfExternal(run: JoinRun): Promise<void> {
  const { config, read } = await run.node()
  const { endpoints = [], httpEndpoints = endpoints } = config.cluster.etcd.external ?? {}
  try {
    const etcd = await reachEtcd(httpEndpoints, etcdCredentials(config.cluster, read))
    etcd.close()
  } catch (error) {
    if (error instanceof EtcdError && !['unreachable', 'no-leader'].includes(error.fault)) return
    run.call.output.warn(`[check-etcd] Etcd does not answer this machine\n${reasonOf(error)}`)
  }
}

/** Source: kubeadm cmd/phases/join/etcdjoin.go, phases/etcd/local.go (v1.36). */
export async function joinEtcd(run: JoinRun): Promise<void> {
  const { call, dryRun } = run
  const { output } = call
  const node = await run.node()
  if (node.config.cluster.etcd.local === undefined) {
    output.say('[control-plane-join] Using external etcd - no local stacked instance added')
    return makeManifestsLater(run)
  }
  const peerUrl = etcdPeerUrl(node.config)
  if (dryRun) {
    // As kubeadm's, which knows of no members then.
    deliverFiles(await etcdPhase.render(givenOf(node, call)), node, output)
    output.say(`[dryrun] Would add etcd member ${peerUrl}, and wait until it has its vote`)
    return
  }
  const limit = AbortSignal.any([run.deadline, AbortSignal.timeout(timerMilliseconds(run.config.timeouts.etcdAPICall))])
  const cluster = await reach(run)
  const { etcd } = cluster
  let added: EtcdMember | undefined
  const task = output.begin('etcd', `[etcd] Adding etcd member ${peerUrl}`)
  try {
    const health = await checkMembers(cluster, peerUrl)
    const there = await ownMember(run, cluster, peerUrl)
    const member = there ?? (await takeIn(cluster, health, { peerUrl, limit, output, tell: task.tell }))
    added = there === undefined ? member : undefined
    const name = node.config.init.nodeRegistration.name
    const all = await listMembers(etcd)
    const etcdMembers = all.flatMap(one =>
      one.peerUrls.map(url => ({ name: one.id === member.id ? name : one.name || memberHex(one.id), peerUrl: url })),
    )
    const { config } = await run.look()
    const rendered = await etcdPhase.render({ ...givenOf(node, call), config, etcdMembers })
    const asksForDisk = rendered.files.some(({ content }) => String(content).includes('ephemeral-storage'))
    if (asksForDisk) await waitForRoom(run, limit)
    deliverFiles(rendered, node, output)
    if (there === undefined || member.isLearner) {
      await untilStarted(etcd, member, limit, task.tell)
      run.timings.mark('etcd started')
      await untilServing(run, etcd, limit, task.tell)
      await persist(['not-in-sync', 'unhealthy', 'no-leader', 'unreachable'], limit, task.tell, () =>
        promoteMember(etcd, member.id).catch((error: unknown) => {
          // Done by an answer that got lost.
          if (!(error instanceof EtcdError && error.fault === 'not-a-learner')) throw error
        }),
      )
    }
    added = undefined
    run.timings.mark('etcd member')
    task.done('[etcd] The new member has its vote')
    await makeManifestsLater(run)
  } catch (error) {
    // It would be in the way of the next one.
    if (added !== undefined) await removeMember(etcd, added.id).catch(() => {})
    throw error
  } finally {
    etcd.close()
  }
}

/**
 * The member that etcd knows at this machine's address. One that has run before and whose data are not here any more can
 * never run again, since others count on what it had: it goes.
 */
async function ownMember(
  { node, call }: JoinRun,
  { etcd, members }: EtcdCluster,
  peerUrl: string,
): Promise<EtcdMember | undefined> {
  const found = members.find(({ peerUrls }) => peerUrls.includes(peerUrl))
  const { dataDir = '' } = (await node()).config.cluster.etcd.local ?? {}
  if (found === undefined || found.name === '' || existsSync(`${dataDir}/member`)) return found
  call.output.say(
    `[etcd] Removing member "${found.name}" (${memberHex(found.id)}) first: its data were on this machine`,
  )
  await removeMember(etcd, found.id)
  return undefined
}

interface TakingIn {
  readonly peerUrl: string
  readonly limit: AbortSignal
  readonly output: Output
  readonly tell: (reason: string) => void
}

/** Has etcd take this node's member in. The member before may have come a moment ago, or may still learn. */
async function takeIn(cluster: EtcdCluster, health: readonly MemberHealth[], taking: TakingIn): Promise<EtcdMember> {
  const { peerUrl, limit, output, tell } = taking
  const other = health.find(({ member }) => member.isLearner && !member.peerUrls.includes(peerUrl))
  const learning = other && learnerText(other.member, cluster)
  if (learning !== undefined) output.say(`[etcd] Waiting, as etcd takes one learner at a time: ${learning}`)
  const patience = other?.fault === undefined ? limit : AbortSignal.any([limit, AbortSignal.timeout(STARTING_MS)])
  try {
    const reasons: readonly EtcdFault[] = ['unhealthy', 'too-many-learners', 'no-leader', 'unreachable']
    return await persist(reasons, patience, tell, async () => {
      // Whoever begins has to know of all: another one would be one too many, also where etcd would take it in.
      const learner = (await listMembers(cluster.etcd)).find(({ isLearner }) => isLearner)
      if (learner !== undefined) throw new EtcdError(learnerText(learner, cluster), 'too-many-learners')
      return addLearner(cluster.etcd, peerUrl)
    })
  } catch (error) {
    if (learning === undefined || !(error instanceof EtcdError) || error.fault !== 'too-many-learners') throw error
    throw new KubestepError(`etcd-join: cannot add a member to etcd: ${learning}`, { cause: error })
  }
}

/** A member has a name when it has started. */
async function untilStarted(etcd: Etcd, { id }: EtcdMember, limit: AbortSignal, tell: TakingIn['tell']): Promise<void> {
  await persist(['no-leader', 'unreachable'], limit, tell, async () => {
    while (!(await listMembers(etcd)).some(member => member.id === id && member.name !== '')) {
      if (limit.aborted) throw new KubestepError(`etcd-join: cannot start etcd in time; see the log of its container`)
      await sleep(POLL_MS)
    }
  })
}

/** How long a kubelet may take to tell of its disk; one that is told not to look never does. */
const ROOM_MS = 20_000

/**
 * Waits until the Node tells of disk space, of which etcd asks for some in older releases: a kubelet that does not know
 * of any yet refuses it, for good. Source: kubelet lifecycle/predicate.go, cm/container_manager_linux.go (v1.20).
 */
async function waitForRoom(run: JoinRun, limit: AbortSignal): Promise<void> {
  const node = await run.node()
  const api = openControlPlaneApi(node)
  try {
    const end = Date.now() + ROOM_MS
    while (!limit.aborted && Date.now() < end) {
      const status = objectOf((await api.get(`/api/v1/nodes/${node.config.init.nodeRegistration.name}`))?.status)
      if (objectOf(status.allocatable)['ephemeral-storage'] !== undefined) return
      await sleep(POLL_MS)
    }
  } finally {
    api.close()
  }
}

async function reach(run: JoinRun): Promise<EtcdCluster> {
  const node = await run.node()
  const api = openControlPlaneApi(node)
  try {
    return await reachEtcdCluster(api, node.config, node.read)
  } finally {
    api.close()
  }
}

/** Tries again what fails for these reasons. Throws what it fails with when the limit comes first. */
async function persist<T>(
  reasons: readonly EtcdFault[],
  limit: AbortSignal,
  tell: (reason: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof EtcdError && reasons.includes(error.fault)) || limit.aborted) throw error
      tell(reasonOf(error))
      await sleep(POLL_MS * 4)
    }
  }
}
