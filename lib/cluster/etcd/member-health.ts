/** Which members of an etcd cluster answer, and what may be done while some do not. */
import { reasonOf } from '../../base/errors.ts'
import { type EtcdCredentials, openEtcd } from './gateway.ts'
import { type EtcdMember, type EtcdStatus, statusOf } from './members.ts'

export interface MemberHealth {
  readonly member: EtcdMember
  /** Absent when it does not answer. */
  readonly status?: EtcdStatus
  /** Why it does not. */
  readonly fault?: string
}

/** Asks every member at once; who does not answer within two seconds does not answer. Never throws. */
export function healthOf(members: readonly EtcdMember[], credentials: EtcdCredentials): Promise<MemberHealth[]> {
  return Promise.all(
    members.map(async member => {
      const [endpoint] = member.clientUrls
      if (endpoint === undefined) return { member, fault: 'it has not started yet' }
      const client = openEtcd(endpoint, credentials)
      try {
        const status = await statusOf(client)
        return status.leader === '0' ? { member, status, fault: 'it sees no leader' } : { member, status }
      } catch (error) {
        return { member, fault: reasonOf(error) }
      } finally {
        client.close()
      }
    }),
  )
}

/** Members with a vote that do not answer: as long as there is one, etcd takes no member in. Source: etcd mayAddMember (v3.6). */
export function deadVoters(health: readonly MemberHealth[]): readonly MemberHealth[] {
  return health.filter(({ member, fault }) => !member.isLearner && fault !== undefined)
}

/** Whether the others still are more than half of the votes that remain when this member leaves. */
export function keepsQuorum(health: readonly MemberHealth[], leaving: string): boolean {
  const others = health.filter(({ member }) => !member.isLearner && member.id !== leaving)
  const alive = others.filter(({ fault }) => fault === undefined).length
  return others.length > 0 && alive > others.length / 2
}
