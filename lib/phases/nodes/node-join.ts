/** What a node of this machine joins with: its configuration, and what control planes share. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { stringify } from '../../base/yaml.ts'
import type { Flags } from '../../cli/options.ts'
import { controlPlaneUrl } from '../../kubeadm/config/control-plane-url.ts'
import { pinsOf } from '../../kubeadm/credentials/ca-pins.ts'
import { certificateFiles } from '../../kubeadm/objects/upload-certs-objects.ts'
import { type FileEntry, readFile, writeFiles } from '../../machine/files.ts'
import { cgroupRootOf } from '../../machine/local-node/local-groups.ts'
import { type LocalNode, nodeFolder, placeOfNode, stateOfNode } from '../../machine/local-node/local-node.ts'
import { podNetworkOf } from '../../machine/network/pod-network.ts'
import { placesOf } from '../../supply/runtime/registry-folder.ts'
import type { PlannedNode } from './node-plan.ts'

/** Where a node has its JoinConfiguration and its patches. */
const JOIN_FILE = `${LAYOUT.state}/join.yaml`
const PATCHES = `${LAYOUT.state}/patches`
/** Passwords may be in it, and a command line is there for all to see. */
const MIRRORS = `${LAYOUT.state}/mirrors`

/** Options of an init that its nodes join with; those that name a file or a folder. */
export const PASSED_ON = ['artifacts', 'cache-dir', 'lock', 'offline', 'timeout'] as const
const PATHS: readonly string[] = ['artifacts', 'cache-dir', 'lock']

/** Its runtime puts Pods into control groups by itself, whatever that of the machine does. */
const IGNORED = 'CgroupDriver'

type OwnSettings = Pick<PlannedNode, 'taints' | 'kubeletArgs'>

/** Puts what it joins with where it will find it; gives the arguments of its join. Throws a KubestepError. */
export function prepareJoin(config: InitConfig, node: LocalNode, flags: Flags, own: OwnSettings): string[] {
  const { directory } = config.init.patches ?? {}
  const mirrors = mirrorsOf(config, flags)
  if (directory !== undefined) cpSync(resolve(directory), stateOfNode(node.name, PATCHES), { recursive: true })
  writeFiles('/', [
    { path: stateOfNode(node.name, JOIN_FILE), mode: 0o600, content: joinText(config, node, own) },
    ...(mirrors === '' ? [] : [{ path: stateOfNode(node.name, MIRRORS), mode: 0o600, content: `${mirrors}\n` }]),
    ...(node.role === 'control-plane' ? sharedFiles(config, node) : []),
  ])
  return ['--config', JOIN_FILE, ...passedOn(flags), ...(mirrors === '' ? [] : [`--mirror=@${MIRRORS}`])]
}

function mirrorsOf({ init }: InitConfig, { mirror, registry }: Flags): string {
  const places = registry === undefined ? undefined : placesOf(registry, init.localAPIEndpoint.advertiseAddress)
  return [mirror, places].filter(text => text !== undefined).join(',')
}

function passedOn(flags: Flags): string[] {
  const ignored = [IGNORED, ...(flags['ignore-preflight-errors']?.split(',') ?? [])]
  const options = PASSED_ON.flatMap(name => {
    const value = flags[name]
    if (value === undefined) return []
    return value === true ? [`--${name}`] : [`--${name}=${PATHS.includes(name) ? resolve(String(value)) : value}`]
  })
  options.push(`--cni=${podNetworkOf(flags.cni)}`)
  return [...options, `--ignore-preflight-errors=${ignored.includes('all') ? 'all' : ignored.join(',')}`]
}

/** They share a machine, so nothing has to go through the cluster. */
function sharedFiles(config: InitConfig, node: LocalNode): FileEntry[] {
  return certificateFiles(config).flatMap(([, path]): FileEntry[] => {
    const place = placeOfNode(node, path)
    const content = readFile('/', path)
    if (place === undefined || content === undefined) return []
    return [{ path: place, mode: path.endsWith('.key') ? 0o600 : 0o644, content }]
  })
}

/** The JoinConfiguration of a node: what it alone has goes by flags of its kubelet, the rest is the cluster's. */
function joinText(
  config: InitConfig,
  { name, role, addresses }: LocalNode,
  { taints: given, kubeletArgs = [] }: OwnSettings,
): string {
  const taints = given ?? (role === 'control-plane' ? config.init.nodeRegistration.taints : undefined)
  const { bootstrapTokens, localAPIEndpoint, patches } = config.init
  const [token] = bootstrapTokens
  if (token === undefined) {
    throw new KubestepError(
      'node: cannot have nodes join: there is no bootstrap token; do not skip phase bootstrap-token',
    )
  }
  const ca = readFileSync(`${config.cluster.certificatesDir}/ca.crt`, 'utf8')
  const own = { 'node-ip': addresses.join(','), 'cgroup-root': cgroupRootOf(name), 'cgroup-driver': 'cgroupfs' }
  return stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'JoinConfiguration',
    ...(role === 'control-plane' && {
      controlPlane: {
        localAPIEndpoint: { advertiseAddress: addresses[0] ?? '', bindPort: localAPIEndpoint.bindPort },
      },
    }),
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: controlPlaneUrl(config).slice('https://'.length),
        token: token.token,
        caCertHashes: [...pinsOf(ca)],
      },
    },
    nodeRegistration: {
      name,
      kubeletExtraArgs: [...kubeletArgs, ...Object.entries(own).map(([flag, value]) => ({ name: flag, value }))].map(
        argument => ({ ...argument }),
      ),
      ...(taints !== undefined && { taints: taints.map(taint => ({ ...taint })) }),
    },
    ...(patches !== undefined && { patches: { directory: PATCHES } }),
  })
}

/**
 * The node with folders of its own where the cluster keeps credentials and the data of etcd, if that is elsewhere than it
 * usually is.
 */
export function withOwnFolders({ cluster }: InitConfig, node: LocalNode): LocalNode {
  const { certificatesDir, etcd } = cluster
  const shared = [certificatesDir, etcd.local?.dataDir ?? ''].filter(
    path => path !== '' && placeOfNode(node, path) === undefined,
  )
  if (node.role !== 'control-plane' || shared.length === 0) return node
  const mounts = shared.map((to, index) => ({ from: join(nodeFolder(node.name), `own-${index + 1}`), to }))
  for (const { from } of mounts) mkdirSync(from, { recursive: true, mode: 0o700 })
  return { ...node, mounts: [...(node.mounts ?? []), ...mounts] }
}
