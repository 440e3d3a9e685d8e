/** The etcd that a control plane node joins or leaves: where its members are, and how they are. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { etcdEndpoints } from '../../cluster/etcd/etcd-pods.ts'
import { type Etcd, type EtcdCredentials, reachEtcd } from '../../cluster/etcd/gateway.ts'
import { deadVoters, healthOf, type MemberHealth } from '../../cluster/etcd/member-health.ts'
import { type EtcdMember, listMembers, memberHex } from '../../cluster/etcd/members.ts'

export interface EtcdCluster {
  readonly etcd: Etcd
  readonly members: readonly EtcdMember[]
  readonly credentials: EtcdCredentials
}

/** A kubelet that has just started tells of its static Pods within seconds. */
const PODS_LIMIT_MS = 20_000
const POLL_MS = 200

/** Reaches it by what the API knows of its Pods; any of them will do. Throws a KubestepError. */
export async function reachEtcdCluster(
  api: Api,
  { cluster }: InitConfig,
  read: (path: string) => string | undefined,
): Promise<EtcdCluster> {
  const endpoints = await toldEndpoints(api)
  const credentials = etcdCredentials(cluster, read)
  const etcd = await reachEtcd(endpoints, credentials)
  return { etcd, members: await listMembers(etcd), credentials }
}

/** Where its Pods say that they serve. That of a cluster that has just begun is told of a little later than it runs. */
async function toldEndpoints(api: Api): Promise<readonly string[]> {
  for (let waited = 0; ; waited += POLL_MS) {
    const endpoints = await etcdEndpoints(api)
    if (endpoints.length > 0) return endpoints
    if (waited >= PODS_LIMIT_MS) {
      throw new KubestepError(
        'check-etcd: cannot find etcd: the cluster has no Pod of it in kube-system; is it external?',
      )
    }
    await sleep(POLL_MS)
  }
}

/**
 * Asks all of them at once. Throws a KubestepError that names those with a vote that do not answer: etcd takes nobody in
 * then. One at this machine's own address (`peerUrl`) may be what it was before, and is seen to when it joins.
 */
export async function checkMembers(
  { members, credentials }: EtcdCluster,
  peerUrl: string,
): Promise<readonly MemberHealth[]> {
  const health = await healthOf(members, credentials)
  const dead = deadVoters(health).filter(({ member }) => !member.peerUrls.includes(peerUrl))
  if (dead.length === 0) return health
  const alive = health.find(({ fault, member }) => fault === undefined && !member.isLearner)?.member.name ?? 'NODE'
  const faults = dead.map(
    ({ member, fault }) =>
      `check-etcd: cannot add a member to etcd: its member "${member.name}" (${memberHex(member.id)}, ${member.peerUrls.join(', ')}) does not answer: ${fault}; start it again, or remove it: ${removal(alive, member)}`,
  )
  throw new KubestepError(faults.join('\n'))
}

/** What of a member that learns: it may be about to have its vote, or be left of a join that is over. */
export function learnerText(member: EtcdMember, { members }: EtcdCluster): string {
  const alive = members.find(({ isLearner, name }) => !isLearner && name !== '')?.name ?? 'NODE'
  return `member "${member.name}" (${memberHex(member.id)}, ${member.peerUrls.join(', ')}) has no vote yet; when nobody joins there any more, remove it: ${removal(alive, member)}`
}

/** The command that removes a member, through one that lives. */
export function removal(alive: string, { id }: EtcdMember): string {
  const pki = `${KUBERNETES.certificates}/etcd`
  return `kubectl --namespace kube-system exec etcd-${alive} -- etcdctl --cacert ${pki}/ca.crt --cert ${pki}/server.crt --key ${pki}/server.key member remove ${memberHex(id)}`
}
