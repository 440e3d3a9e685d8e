/** What etcd knows of a further node of this machine, by the etcd of this machine itself. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { reachEtcd } from '../../cluster/etcd/gateway.ts'
import { listMembers, removeMember } from '../../cluster/etcd/members.ts'
import { readFile } from '../../machine/files.ts'
import type { LocalNode } from '../../machine/local-node/local-node.ts'
import { localMember } from '../reset/local-member.ts'

/** Takes its member out, so that the others do not wait for it. Throws a KubestepError when etcd does not let it go. */
export async function removeEtcdMember({ name, addresses }: LocalNode): Promise<void> {
  const manifest = readFile('/', `${KUBERNETES.manifests}/etcd.yaml`)
  const own = manifest === undefined ? undefined : localMember(manifest)
  // It is somebody else's, and knows of no node.
  if (own === undefined) return
  const [ca = '', certificate = '', key = ''] = [own.files.ca, own.files.certificate, own.files.key].map(path =>
    readFile('/', path),
  )
  try {
    const etcd = await reachEtcd(own.endpoints, { ca, certificate, key })
    try {
      const hosts = addresses.map(address => (address.includes(':') ? `[${address}]` : address))
      const member = (await listMembers(etcd)).find(({ peerUrls }) =>
        peerUrls.some(url => hosts.includes(new URL(url).hostname)),
      )
      if (member !== undefined) await removeMember(etcd, member.id)
    } finally {
      etcd.close()
    }
  } catch (error) {
    throw new KubestepError(
      `node: cannot take node "${name}" out of etcd: ${reasonOf(error)}; start the other control planes first`,
      { cause: error },
    )
  }
}
