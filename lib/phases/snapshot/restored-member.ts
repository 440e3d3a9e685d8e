/** The member of etcd that a snapshot is restored for, and the others that it has. */
import { KubestepError } from '../../base/errors.ts'
import { objectOf, objectsOf } from '../../base/json.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { openEtcd } from '../../cluster/etcd/gateway.ts'
import { listMembers } from '../../cluster/etcd/members.ts'
import { ETCD_CLIENT_PORT, etcdLoopbackUrl } from '../../kubeadm/manifests/etcd-endpoints.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import type { LiveConfig } from '../run/live-config.ts'

/** How etcd runs here, from its static Pod. */
export interface RestoredMember {
  readonly name: string
  readonly peerUrl: string
  readonly dataDir: string
  readonly image: string
  /** Others, as they were when this one was made. */
  readonly peers: readonly OtherMember[]
}

export interface OtherMember {
  readonly name: string
  /** Where it serves clients. */
  readonly url: string
}

/** Throws a KubestepError where this node has no etcd, or one that cannot be restored. */
export function restoredMember(read: LiveConfig['read']): RestoredMember {
  const path = `${KUBERNETES.manifests}/etcd.yaml`
  const pod = parse(read(path) ?? '')
  const argument = (name: string): string => {
    const found = podArgument(pod, name)
    if (found !== undefined) return found
    throw new KubestepError(
      `etcd: cannot restore a snapshot: "${path}" has no --${name}; an etcd that is elsewhere is restored there`,
    )
  }
  if (podArgument(pod, 'wal-dir') !== undefined) {
    throw new KubestepError(
      `etcd: cannot restore a snapshot: etcd here has a --wal-dir of its own, which has to change together with its data; do it by hand, as etcd's documentation on disaster recovery says`,
    )
  }
  const name = argument('name')
  const members = (podArgument(pod, 'initial-cluster') ?? '').split(',').map(one => one.split('='))
  return {
    name,
    peerUrl: argument('initial-advertise-peer-urls'),
    dataDir: argument('data-dir'),
    image: String(objectsOf(objectOf(objectOf(pod).spec).containers)[0]?.image ?? ''),
    peers: members
      .filter(([other, url]) => other !== name && url !== undefined)
      .map(([other = '', url = '']) => ({ name: other, url: url.replace(/:\d+$/, `:${ETCD_CLIENT_PORT}`) })),
  }
}

/** Those that etcd here knows of, or where it does not answer, those that its static Pod names. Never throws. */
export async function otherMembers({ name, peers }: RestoredMember, live: LiveConfig): Promise<readonly OtherMember[]> {
  try {
    const etcd = openEtcd(etcdLoopbackUrl(live.config), etcdCredentials(live.config.cluster, live.read))
    try {
      const members = await listMembers(etcd, { local: true })
      return members
        .filter(member => member.name !== name)
        .map(member => ({ name: member.name || member.id, url: member.clientUrls[0] ?? '' }))
    } finally {
      etcd.close()
    }
  } catch {
    return peers
  }
}
