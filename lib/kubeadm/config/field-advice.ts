/** What to say about a field that nobody reads: how it is spelt, where it belongs, what it is called now. */
import { type Struct, walkStruct } from '../../base/go/struct.ts'
import { nearest } from '../../base/nearest.ts'
import { FLAG_FIELDS } from './flag-fields.ts'
import { KINDS, type KindRow } from './kinds.ts'

/**
 * Names of the alpha versions, and what tells the same today. Source: kubeadm apis/kubeadm/v1alpha1/types.go (v1.9),
 * v1alpha2 (v1.11), v1alpha3 (v1.12).
 */
export const FORMER_FIELDS: Readonly<Record<string, string>> = {
  api: 'localAPIEndpoint of InitConfiguration (its controlPlaneEndpoint is one of ClusterConfiguration)',
  apiEndpoint: 'localAPIEndpoint of InitConfiguration',
  apiServerCertSANs: 'apiServer.certSANs of ClusterConfiguration',
  apiServerExtraArgs: 'apiServer.extraArgs of ClusterConfiguration',
  apiServerExtraVolumes: 'apiServer.extraVolumes of ClusterConfiguration',
  auditPolicy:
    'audit-policy-file in apiServer.extraArgs of ClusterConfiguration, with the file in apiServer.extraVolumes',
  authorizationModes: 'authorization-mode in apiServer.extraArgs of ClusterConfiguration',
  cloudProvider: 'cloud-provider in controllerManager.extraArgs and nodeRegistration.kubeletExtraArgs',
  controllerManagerExtraArgs: 'controllerManager.extraArgs of ClusterConfiguration',
  controllerManagerExtraVolumes: 'controllerManager.extraVolumes of ClusterConfiguration',
  discoveryFile: 'discovery.file.kubeConfigPath of JoinConfiguration',
  discoveryTimeout: 'timeouts.discovery of JoinConfiguration',
  discoveryToken: 'discovery.bootstrapToken.token of JoinConfiguration',
  discoveryTokenAPIServers: 'discovery.bootstrapToken.apiServerEndpoint of JoinConfiguration',
  discoveryTokenCACertHashes: 'discovery.bootstrapToken.caCertHashes of JoinConfiguration',
  discoveryTokenUnsafeSkipCAVerification: 'discovery.bootstrapToken.unsafeSkipCAVerification of JoinConfiguration',
  image: 'imageRepository and imageTag beside it',
  kubeProxy: 'a document of its own, of kind KubeProxyConfiguration',
  kubeletConfiguration: 'a document of its own, of kind KubeletConfiguration',
  noTaintMaster: '"taints: []" in nodeRegistration of InitConfiguration',
  nodeName: 'nodeRegistration.name of InitConfiguration or JoinConfiguration',
  privilegedPods: 'allow-privileged in apiServer.extraArgs of ClusterConfiguration',
  schedulerExtraArgs: 'scheduler.extraArgs of ClusterConfiguration',
  schedulerExtraVolumes: 'scheduler.extraVolumes of ClusterConfiguration',
  token: 'token of an item of bootstrapTokens of InitConfiguration',
  tokenGroups: 'groups of an item of bootstrapTokens of InitConfiguration',
  tokenTTL: 'ttl of an item of bootstrapTokens of InitConfiguration',
  tokenUsages: 'usages of an item of bootstrapTokens of InitConfiguration',
  unifiedControlPlaneImage: 'imageRepository of ClusterConfiguration, with an image for each component',
}

/** Kinds of the alpha versions. */
export const FORMER_KINDS: Readonly<Record<string, string>> = {
  MasterConfiguration: 'InitConfiguration and ClusterConfiguration',
  NodeConfiguration: 'JoinConfiguration',
}

/** What stands together in one file mostly. */
const TOGETHER: readonly string[] = [
  'InitConfiguration',
  'ClusterConfiguration',
  'KubeletConfiguration',
  'KubeProxyConfiguration',
]

/** More places than this do not help. */
const MOST_PLACES = 3

/** The reason for an unknown field of a document, with what to do; never to take a setting away. */
export function unknownFieldReason(kind: string, name: string, siblings: readonly string[]): string {
  const same = siblings.find(sibling => plain(sibling) === plain(name))
  if (same !== undefined) return `the field is unknown; did you mean "${same}"?`
  const former = FORMER_FIELDS[name]
  if (former !== undefined) return `the field is unknown; it is ${former} now`
  const places = placesOf(name, kind)
  if (places.length > 0) return `the field is unknown here; it belongs in ${places.join(' or ')}`
  const hint = nearest(name, siblings)
  if (hint !== undefined) return `the field is unknown; did you mean "${hint}"?`
  const known = siblings.length > 12 ? 'see "config print" for its fields' : `here are ${siblings.join(', ')}`
  return `the field is unknown; ${known}`
}

/** Where a field of that name is known, or what the flag of that name sets, e.g. `networking.podSubnet of ClusterConfiguration`. */
function placesOf(name: string, kind: string): readonly string[] {
  const found = newestKinds().flatMap(row => {
    const struct = row.struct ?? []
    return fieldsNamed(struct, name).map(path => ({ kind: row.kind as string, path }))
  })
  const flags = FLAG_FIELDS.filter(({ flag }) => plain(flag) === plain(name)).map(row => ({
    kind: row.kind as string,
    path: row.field.replaceAll(/\.\d+/g, '[]'),
  }))
  const all = found.length > 0 ? found : flags
  const together = all.filter(place => place.kind === kind || TOGETHER.includes(place.kind))
  const near = together.filter(place => place.kind === kind || !place.path.includes('.'))
  const places = [near, together, all].find(list => list.length > 0) ?? []
  // A name that stands everywhere says nothing.
  return places.length > MOST_PLACES ? [] : places.map(place => `${place.path} of ${place.kind}`)
}

function newestKinds(): readonly KindRow[] {
  return KINDS.filter((row, index) => KINDS.findIndex(({ kind }) => kind === row.kind) === index)
}

function fieldsNamed(struct: Struct, name: string): string[] {
  const paths: string[] = []
  walkStruct(struct, (path, field) => {
    if (plain(field) === plain(name)) paths.push(path)
  })
  return [...new Set(paths)]
}

function plain(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase()
}
