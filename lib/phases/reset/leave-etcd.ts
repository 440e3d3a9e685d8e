/**
 * A control plane node leaves etcd before it goes, by etcd itself: the API may be gone, and the Node too. Otherwise the
 * others would count it for ever, and one day lose their quorum.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { joinHostPort } from '../../base/address.ts'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { type Etcd, type EtcdCredentials, EtcdError, reachEtcd } from '../../cluster/etcd/gateway.ts'
import { healthOf, keepsQuorum, type MemberHealth } from '../../cluster/etcd/member-health.ts'
import {
  type EtcdMember,
  listMembers,
  memberHex,
  moveLeader,
  removeMember,
  statusOf,
} from '../../cluster/etcd/members.ts'
import { ETCD_CLIENT_PORT } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import { readFile } from '../../machine/files.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'

/** What of a local etcd stands in its manifest. */
export interface LocalMember {
  readonly peerUrl: string
  /** Where it and the members that it joined serve clients; its own first. */
  readonly endpoints: readonly string[]
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string }
}

export interface Leaving {
  readonly dryRun: boolean
  /** Whether it goes also when the others then have no quorum. */
  readonly loseQuorum: boolean
  readonly say: (line: string) => void
  readonly warn: (line: string) => void
}

const MANIFEST = `${KUBERNETES.manifests}/etcd.yaml`

/** The member as its manifest describes it; undefined when that is none of kubeadm's. */
export function localMember(manifest: string): LocalMember | undefined {
  const pod = parse(manifest)
  const told = (flag: string): string | undefined => podArgument(pod, flag)
  const [peerUrl, cluster = '', clients = ''] = [
    'initial-advertise-peer-urls',
    'initial-cluster',
    'listen-client-urls',
  ].map(told)
  const [ca, server] = [told('trusted-ca-file'), told('cert-file')]
  if (peerUrl === undefined || ca === undefined || server === undefined) return undefined
  const peers = cluster
    .split(',')
    .map(member => member.slice(member.indexOf('=') + 1))
    .filter(url => url !== '' && url !== peerUrl)
  const folder = server.replace(/\/[^/]*$/, '')
  return {
    peerUrl,
    endpoints: [...clients.split(',').filter(Boolean), ...peers.map(clientUrl)],
    files: { ca, certificate: `${folder}/healthcheck-client.crt`, key: `${folder}/healthcheck-client.key` },
  }
}

// kubeadm gives both the same host.
function clientUrl(peerUrl: string): string {
  return `https://${joinHostPort(hostOf(peerUrl), ETCD_CLIENT_PORT)}`
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

/** Leaves. Throws a KubestepError when the others would lose their quorum, or when etcd does not let it go. */
export async function leaveEtcd(leaving: Leaving): Promise<void> {
  const text = readFile('/', MANIFEST)
  const member = text === undefined ? undefined : localMember(text)
  if (member === undefined) return
  const [ca, certificate, key] = [member.files.ca, member.files.certificate, member.files.key].map(path =>
    readFile('/', path),
  )
  if (ca === undefined || certificate === undefined || key === undefined) return
  const credentials = { ca, certificate, key }
  let etcd: Etcd
  try {
    etcd = await reachEtcd(member.endpoints, credentials)
  } catch (error) {
    // An etcd of one member that does not run needs no farewell.
    if (member.endpoints.length > 2)
      leaving.warn(
        `[remove-etcd-member] etcd knows ${member.peerUrl} still: no member answers; remove it on a node that lives\n${reasonOf(error)}`,
      )
    return
  }
  try {
    await leave(member, await othersOf(etcd, member, credentials), leaving)
  } finally {
    etcd.close()
  }
}

interface Others {
  readonly own?: EtcdMember
  readonly health: readonly MemberHealth[]
  readonly credentials: EtcdCredentials
}

async function othersOf(etcd: Etcd, { peerUrl }: LocalMember, credentials: EtcdCredentials): Promise<Others> {
  // Further nodes of this machine go along.
  const going = localNodes().flatMap(({ addresses }) => addresses)
  const members = (await listMembers(etcd)).filter(({ peerUrls }) => !peerUrls.some(url => going.includes(hostOf(url))))
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
  const endpoints = alive.flatMap(({ member: one }) => one.clientUrls)
  await handOver(member, own, alive, credentials)
  const etcd = await reachEtcd(endpoints, credentials)
  const start = Date.now()
  try {
    for (;;) {
      try {
        await removeMember(etcd, own.id)
        break
      } catch (error) {
        const isSettling = error instanceof EtcdError && Date.now() - start < SETTLING_MS
        if (isSettling) await sleep(250)
        else if (!loseQuorum) throw error
        else return warn(`[remove-etcd-member] ${reasonOf(error)}`)
      }
    }
  } finally {
    etcd.close()
  }
  say(`[remove-etcd-member] Removed ${member.peerUrl} from etcd, which keeps ${membersText(health.length - 1)}`)
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
