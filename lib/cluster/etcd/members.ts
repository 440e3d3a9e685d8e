/** The members of an etcd cluster: who they are, and how they come and go. */
import { hostOfUrl } from '../../base/address.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { type Etcd, EtcdError } from './gateway.ts'

export interface EtcdMember {
  /** 64 bits as decimal text, as the gateway has it. */
  readonly id: string
  /** Empty until it has started for the first time. */
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  /** It follows, and does not vote yet. */
  readonly isLearner: boolean
}

/** What a member says about itself. */
export interface EtcdStatus {
  readonly id: string
  /** E.g. `3.6.13`. */
  readonly version: string
  readonly dbSize: number
  /** Id of the leader it sees; `0` for none. */
  readonly leader: string
  readonly isLearner: boolean
  /** Of the last entry of the log that it has applied. */
  readonly appliedIndex: number
  readonly errors: readonly string[]
}

/** Whether a member is that of a node which has one of these addresses. */
export function isAt({ peerUrls }: Pick<EtcdMember, 'peerUrls'>, addresses: readonly string[]): boolean {
  return peerUrls.some(url => addresses.includes(hostOfUrl(url)))
}

/** Who is in the cluster; `local` asks only this member for what it knows, which works without a quorum. Throws an EtcdError. */
export async function listMembers(
  etcd: Etcd,
  { local = false }: { readonly local?: boolean } = {},
): Promise<readonly EtcdMember[]> {
  return membersOf(await etcd.ask('cluster/member/list', { linearizable: !local }))
}

/** Takes a member in that does not vote yet. Throws an EtcdError. */
export async function addLearner(etcd: Etcd, peerUrl: string): Promise<EtcdMember> {
  const answer = await etcd.ask('cluster/member/add', { peerURLs: [peerUrl], isLearner: true })
  return memberOf(isObject(answer.member) ? answer.member : {})
}

/** Gives a learner its vote. Throws an EtcdError; its fault is `not-in-sync` as long as the learner lags behind. */
export async function promoteMember(etcd: Etcd, id: string): Promise<void> {
  await etcd.ask('cluster/member/promote', { ID: id })
}

/** Takes a member out; one that is out already is no error. Throws an EtcdError. */
export async function removeMember(etcd: Etcd, id: string): Promise<void> {
  try {
    await etcd.ask('cluster/member/remove', { ID: id })
  } catch (error) {
    if (!(error instanceof EtcdError && error.fault === 'no-member')) throw error
  }
}

/** Makes another member the leader; the present leader has to be asked. Throws an EtcdError. */
export async function moveLeader(etcd: Etcd, to: string): Promise<void> {
  await etcd.ask('maintenance/transfer-leadership', { targetID: to }, 5_000)
}

/** Throws an EtcdError. */
export async function statusOf(etcd: Etcd, limitMs?: number): Promise<EtcdStatus> {
  const answer = await etcd.ask('maintenance/status', {}, limitMs)
  const { header, version, dbSize, leader, isLearner, raftAppliedIndex, errors } = answer
  return {
    id: String(isObject(header) ? header.member_id : ''),
    version: String(version),
    dbSize: Number(dbSize ?? 0),
    leader: String(leader ?? '0'),
    isLearner: isLearner === true,
    appliedIndex: Number(raftAppliedIndex ?? 0),
    errors: texts(errors),
  }
}

/** The id as etcdctl and etcd's own log write it. */
export function memberHex(id: string): string {
  return BigInt(id).toString(16)
}

function membersOf({ members }: JsonObject): readonly EtcdMember[] {
  return Array.isArray(members) ? members.filter(isObject).map(memberOf) : []
}

function memberOf({ ID, name, peerURLs, clientURLs, isLearner }: JsonObject): EtcdMember {
  return {
    id: String(ID),
    name: String(name ?? ''),
    peerUrls: texts(peerURLs),
    clientUrls: texts(clientURLs),
    isLearner: isLearner === true,
  }
}

function texts(list: Json | undefined): readonly string[] {
  return Array.isArray(list) ? list.map(String) : []
}
