/** What etcd knows of a further node of this machine, by the etcd of this machine itself. */
import { KubestepError, Reason, reasonOf } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { reachEtcd } from '../../cluster/etcd/gateway.ts'
import { isAt, listMembers, removeMember } from '../../cluster/etcd/members.ts'
import { readFile } from '../../machine/files.ts'
import type { LocalNode } from '../../machine/local-node/local-node.ts'
import { credentialsOf, localMember } from '../reset/local-member.ts'

/** Takes its member out, so that the others do not wait for it. Throws a KubestepError when etcd does not let it go. */
export async function removeEtcdMember({ name, addresses }: LocalNode): Promise<void> {
  const manifest = readFile('/', `${KUBERNETES.manifests}/etcd.yaml`)
  const own = manifest === undefined ? undefined : localMember(manifest)
  // It is somebody else's, and knows of no node.
  if (own === undefined) return
  try {
    const credentials = credentialsOf(own)
    if (credentials === undefined) throw new Reason('what this node is let in with is not there')
    const etcd = await reachEtcd(own.endpoints, credentials)
    try {
      const member = (await listMembers(etcd)).find(one => isAt(one, addresses))
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
