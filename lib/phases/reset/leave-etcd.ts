/**
 * A control plane node leaves etcd before it goes, by etcd itself: the API may be gone, and the Node too. Otherwise the
 * others would count it for ever, and one day lose their quorum.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { type EtcdCredentials, EtcdError, openEtcd, reachEtcd } from '../../cluster/etcd/gateway.ts'
import { healthOf, keepsQuorum, type MemberHealth } from '../../cluster/etcd/member-health.ts'
import {
  type EtcdMember,
  isAt,
  listMembers,
  memberHex,
  moveLeader,
  removeMember,
  statusOf,
} from '../../cluster/etcd/members.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'
import { credentialsOf, externalEtcd, type LocalMember, memberHere } from './local-member.ts'

export interface Leaving {
  readonly dryRun: boolean
  /** Whether it goes also when the others then have no quorum. */
  readonly loseQuorum: boolean
  readonly say: (line: string) => void
  readonly warn: (line: string) => void
}

/**
 * Leaves; gives whether this node's member is the only one. Throws a KubestepError when the others would lose their
 * quorum, or when etcd does not let it go.
 */
export async function leaveEtcd(leaving: Leaving): Promise<boolean> {
  const member = await memberHere()
  if (member === undefined) {
    const external = externalEtcd()
    // kubeadm says no more than that it is to be reset by hand.
    if (external !== undefined)
      leaving.say(
        `[remove-etcd-member] Etcd at ${external} is external: what the cluster has stored there stays, and is to be deleted before another cluster uses it`,
      )
    return false
  }
  const credentials = credentialsOf(member)
  if (credentials === undefined) return false
  const others = await othersOf(member, credentials).catch((error: unknown) => {
    // An etcd of one member that does not run needs no farewell.
    if (member.endpoints.length > 2)
      leaving.warn(
        `[remove-etcd-member] etcd knows ${member.peerUrl} still: no member answers; remove it on a node that lives\n${reasonOf(error)}`,
      )
  })
  if (others) await leave(member, others, leaving)
  return others === undefined ? member.endpoints.length <= 2 : others.health.length === 0
}

interface Others {
  readonly own?: EtcdMember
  readonly health: readonly MemberHealth[]
  readonly credentials: EtcdCredentials
}

/** Who is in etcd; without a quorum, as this node's member knows it. Throws an EtcdError when no member answers. */
async function membersOf({ endpoints }: LocalMember, credentials: EtcdCredentials): Promise<readonly EtcdMember[]> {
  const etcd = await reachEtcd(endpoints, credentials).catch((error: unknown) => {
    if (error instanceof EtcdError && error.fault === 'no-leader') return undefined
    throw error
  })
  const asked = etcd ?? openEtcd(endpoints[0] ?? '', credentials)
  try {
    return await listMembers(asked, { local: etcd === undefined })
  } finally {
    asked.close()
  }
}

async function othersOf(local: LocalMember, credentials: EtcdCredentials): Promise<Others> {
  const { peerUrl } = local
  // Further nodes of this machine go along.
  const going = localNodes().flatMap(({ addresses }) => addresses)
  const all = await membersOf(local, credentials)
  const members = all.filter(one => !isAt(one, going))
  const own = members.find(({ peerUrls }) => peerUrls.includes(peerUrl))
  const health = members.length < 2 ? [] : await healthOf(members, credentials)
  return { ...(own !== undefined && { own }), health, credentials }
}

/** How long etcd may refuse, because it has not seen all of its members for five seconds. Source: etcd server.go (v3.6). */
const SETTLING_MS = 12_000

async function leave(
  member: LocalMember,
  { own, health, credentials }: Others,
  { dryRun, loseQuorum, say, warn }: Leaving,
): Promise<void> {
  if (own === undefined || health.length === 0) return
  const alive = health.filter(({ fault, member: one }) => fault === undefined && one.id !== own.id)
  if (!own.isLearner && !keepsQuorum(health, own.id)) {
    const dead = health.filter(({ fault, member: one }) => fault !== undefined && one.id !== own.id)
    const names = dead.map(({ member: one, fault }) => `"${one.name}" (${memberHex(one.id)}): ${fault}`).join('; ')
    const text = `etcd would have ${alive.length} of ${health.length - 1} members left that answer, and no quorum: ${names}`
    if (!loseQuorum) {
      throw new KubestepError(
        `reset: cannot take this node away: ${text}; start those again, remove them from etcd, or add --lose-quorum`,
      )
    }
    warn(`[remove-etcd-member] ${text}`)
  }
  if (dryRun) {
    say(`[remove-etcd-member] Would remove ${member.peerUrl} from etcd, which keeps ${membersText(health.length - 1)}`)
    return
  }
  await handOver(member, own, alive, credentials)
  try {
    await remove(
      own,
      alive.length > 0 ? alive.flatMap(({ member: one }) => one.clientUrls) : member.endpoints,
      credentials,
    )
  } catch (error) {
    if (!loseQuorum) throw error
    return warn(`[remove-etcd-member] ${reasonOf(error)}`)
  }
  say(`[remove-etcd-member] Removed ${member.peerUrl} from etcd, which keeps ${membersText(health.length - 1)}`)
}

async function remove(own: EtcdMember, endpoints: readonly string[], credentials: EtcdCredentials): Promise<void> {
  const etcd = await reachEtcd(endpoints, credentials)
  const start = Date.now()
  try {
    for (;;) {
      try {
        return await removeMember(etcd, own.id)
      } catch (error) {
        if (!(error instanceof EtcdError) || Date.now() - start > SETTLING_MS) throw error
        await sleep(250)
      }
    }
  } finally {
    etcd.close()
  }
}

function membersText(count: number): string {
  return `${count} member${count === 1 ? '' : 's'}`
}

/** A leader that leaves would cost the others an election. */
async function handOver(
  { endpoints }: LocalMember,
  own: EtcdMember,
  alive: readonly MemberHealth[],
  credentials: EtcdCredentials,
): Promise<void> {
  const next = alive.find(({ member }) => !member.isLearner)
  const etcd = await reachEtcd(endpoints.slice(0, 1), credentials).catch(() => undefined)
  if (etcd === undefined) return
  try {
    if (next !== undefined && (await statusOf(etcd)).leader === own.id) await moveLeader(etcd, next.member.id)
  } catch {
    // They elect one by themselves.
  } finally {
    etcd.close()
  }
}
