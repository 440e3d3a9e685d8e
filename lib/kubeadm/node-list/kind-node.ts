/** A node of kind's Cluster file. Source: kind pkg/apis/config/v1alpha4/types.go (v0.32). */
import { parseAddress } from '../../base/address.ts'
import type { Json } from '../../base/json.ts'
import type { Path, YamlDocument } from '../../base/yaml.ts'
import { type JoinPart, kubeadmPatches, type PatchDocuments } from './kubeadm-patches.ts'
import {
  type Complain,
  type FolderSpec,
  fieldsOf,
  itemsOf,
  labelsOf,
  type NodeSpec,
  type PortSpec,
  portOf,
  protocolOf,
  roleOf,
} from './node-spec.ts'

export interface KindNode {
  readonly spec: NodeSpec
  readonly version?: string
  /** Of the first node these are the cluster's. */
  readonly patches: PatchDocuments
  readonly joining: JoinPart
}

export interface KindReader {
  /** Makes a path whole that is relative to the file's reader. */
  readonly whole: (path: string) => string
  readonly scalarAt: YamlDocument['scalarAt']
}

const FIELDS: readonly string[] = [
  'role',
  'image',
  'labels',
  'extraMounts',
  'extraPortMappings',
  'kubeadmConfigPatches',
  'kubeadmConfigPatchesJSON6902',
]
const MOUNT_FIELDS: readonly string[] = ['hostPath', 'containerPath', 'readOnly', 'selinuxRelabel', 'propagation']
/** What is mounted on this machine is seen in its nodes anyway. */
const PROPAGATIONS: readonly string[] = ['', 'None', 'HostToContainer', 'Bidirectional']
const SHARED = PROPAGATIONS.at(-1)
const PORT_FIELDS: readonly string[] = ['hostPort', 'containerPort', 'listenAddress', 'protocol']

export function kindNode(value: Json, path: Path, { whole, scalarAt }: KindReader, complain: Complain): KindNode {
  const fields = fieldsOf(value, FIELDS, path, complain)
  const at = (name: string): Path => [...path, name]
  const { documents, joining } = kubeadmPatches(fields.kubeadmConfigPatches, at('kubeadmConfigPatches'), complain)
  if (itemsOf(fields.kubeadmConfigPatchesJSON6902, at('kubeadmConfigPatchesJSON6902'), complain).length > 0)
    complain(at('kubeadmConfigPatchesJSON6902'), 'such patches are not taken; write them as kubeadmConfigPatches')
  const version = versionOf(fields.image, at('image'), complain)
  return {
    spec: {
      role:
        fields.role === undefined || fields.role === '' ? 'control-plane' : roleOf(fields.role, at('role'), complain),
      labels: labelsOf(fields.labels, at('labels'), complain, scalarAt),
      ports: portsOf(fields.extraPortMappings, at('extraPortMappings'), complain),
      folders: foldersOf(fields.extraMounts, at('extraMounts'), whole, complain),
    },
    ...(version !== undefined && { version }),
    patches: documents,
    joining,
  }
}

/** Of an image of kind its version counts: what is in it comes from elsewhere here. */
function versionOf(value: Json | undefined, path: Path, complain: Complain): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const [, version] =
    /^(?:.*\/)?kindest\/node:(v\d+\.\d+\.\d+[-+.\w]*)(?:@sha256:[\da-f]{64})?$/.exec(String(value)) ?? []
  if (version === undefined)
    complain(
      path,
      'only images kindest/node:VERSION say which Kubernetes is meant; leave it out, and use --kubernetes-version',
      value,
    )
  return version
}

function portsOf(value: Json | undefined, path: Path, complain: Complain): PortSpec[] {
  return itemsOf(value, path, complain).flatMap((item, index): PortSpec[] => {
    const place = [...path, index]
    const {
      hostPort,
      containerPort,
      listenAddress = '',
      protocol: named,
    } = fieldsOf(item, PORT_FIELDS, place, complain)
    const [host, node] = [portOf(hostPort), portOf(containerPort)]
    const address = String(listenAddress ?? '')
    const protocol = protocolOf(named, [...place, 'protocol'], complain)
    if (host === undefined)
      complain([...place, 'hostPort'], 'it is no port; write the one to listen on, none is chosen here', hostPort)
    if (node === undefined)
      complain([...place, 'containerPort'], 'it is no port; write a number from 1 to 65535', containerPort)
    if (address !== '' && parseAddress(address) === undefined)
      complain([...place, 'listenAddress'], 'it is no address', address)
    if (host === undefined || node === undefined) return []
    const isEverywhere = ['', '0.0.0.0', '::'].includes(address)
    const how = { ...(!isEverywhere && { address }), ...(protocol === 'UDP' && { protocol }) }
    return [{ ...how, hostPort: host, nodePort: node }]
  })
}

function foldersOf(
  value: Json | undefined,
  path: Path,
  whole: (path: string) => string,
  complain: Complain,
): FolderSpec[] {
  return itemsOf(value, path, complain).flatMap((item, index): FolderSpec[] => {
    const place = [...path, index]
    const { hostPath, containerPath, readOnly, propagation = '' } = fieldsOf(item, MOUNT_FIELDS, place, complain)
    if (!PROPAGATIONS.includes(String(propagation ?? '')))
      complain([...place, 'propagation'], `it is none of ${PROPAGATIONS.slice(1).join(', ')}`, propagation)
    if (
      typeof hostPath === 'string' &&
      hostPath !== '' &&
      typeof containerPath === 'string' &&
      containerPath.startsWith('/')
    )
      return [
        {
          from: whole(hostPath),
          to: containerPath.replace(/(?<=.)\/+$/, ''),
          readOnly: readOnly === true,
          ...(propagation === SHARED && { isShared: true }),
        },
      ]
    complain(place, 'a mount needs hostPath, and containerPath from / on', item)
    return []
  })
}
