/** What to say about a field that another API version has, or writes in another way. */
import type { Struct } from '../../base/go/struct.ts'
import type { Path } from '../../base/yaml.ts'
import { KINDS, structOf } from './kinds.ts'

/** Fields that went elsewhere in v1beta4. Source: kubeadm apis/kubeadm/v1beta4/doc.go (v1.36). */
const MOVED: Readonly<Record<string, string>> = {
  'ClusterConfiguration apiServer.timeoutForControlPlane':
    'it is timeouts.controlPlaneComponentHealthCheck of InitConfiguration now',
  'JoinConfiguration discovery.timeout': 'it is timeouts.discovery now',
  'ClusterConfiguration dns.type': 'CoreDNS is the only one left',
  'ClusterConfiguration useHyperKubeImage': 'hyperkube images are no longer made',
}

/** The rest of a message about a field: where it went, which version has it, how its version writes arguments; '' mostly. */
export function versionHint(apiVersion: string, kind: string, path: Path): string {
  const names = path.filter(key => typeof key === 'string')
  const moved = MOVED[`${kind} ${names.join('.')}`]
  const group = apiVersion.split('/')[0]
  const own = structOf(apiVersion, kind)
  if (own !== undefined && hasField(own, names)) return argumentsHint(apiVersion, path)
  if (moved !== undefined) return ` (${moved})`
  const others = KINDS.filter(row => row.kind === kind && row.struct !== undefined && hasField(row.struct, names))
  const versions = others.map(row => row.apiVersion).filter(version => version.startsWith(`${group}/`))
  return versions.length === 0 ? '' : ` (${versions.join(', ')} has it)`
}

function argumentsHint(apiVersion: string, path: Path): string {
  if (!/^(?:extraArgs|kubeletExtraArgs)$/.test(String(path.at(-1)))) return ''
  return apiVersion === 'kubeadm.k8s.io/v1beta4'
    ? '; since v1beta4 each argument is an item with name and value'
    : '; before v1beta4 arguments are a mapping of names to values'
}

function hasField(struct: Struct, [name, ...rest]: readonly string[]): boolean {
  const field = struct.find(([known]) => known === name)
  if (field === undefined || rest.length === 0) return field !== undefined
  const [, shape] = field
  if (typeof shape === 'string') return false
  if ('pointer' in shape) return hasField(shape.pointer, rest)
  return hasField('list' in shape ? shape.list : shape, rest)
}
