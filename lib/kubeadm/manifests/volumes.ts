/** Volumes and mounts: a table of what each component mounts, what the host adds, and the user's extraVolumes on top. */
import { posix } from 'node:path'
import type { JsonObject } from '../../base/json.ts'
import type { ExternalEtcd, HostPathMount, InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import { argumentValue, type PodInput } from './command-line.ts'
import { CONTROLLER_MANAGER_KUBECONFIG } from './controller-manager-args.ts'
import { SCHEDULER_KUBECONFIG } from './scheduler-args.ts'
import type { ComponentName } from './static-pods.ts'

const CA_CERTIFICATES = '/etc/ssl/certs'

/** Mounted where they exist, as files in /etc/ssl/certs may link there. Source: CHANGELOG 1.31.0; kubeadm phases/controlplane/volumes.go. */
export const CA_DIRECTORIES: Since<readonly string[]> = {
  '1.18': ['/etc/pki', '/usr/share/ca-certificates', '/usr/local/share/ca-certificates', '/etc/ca-certificates'],
  '1.31': [
    '/etc/pki/ca-trust',
    '/etc/pki/tls/certs',
    '/etc/ca-certificates',
    '/usr/share/ca-certificates',
    '/usr/local/share/ca-certificates',
  ],
}

const FLEX_VOLUMES = '/usr/libexec/kubernetes/kubelet-plugins/volume/exec'

/** Whether the controller manager mounts FlexVolume plugins. Source: CHANGELOG 1.36.0. */
export const MOUNTS_FLEX_VOLUMES: Since<boolean> = { '1.18': true, '1.36': false }

/** What a component mounts, later ones replacing earlier ones of the same name. */
type Mounts = (input: PodInput) => readonly HostPathMount[]

/** Source: kubeadm phases/controlplane/volumes.go and phases/etcd/local.go (v1.18.9 to v1.36.2). */
export const MOUNTS: Readonly<Record<ComponentName, readonly Mounts[]>> = {
  etcd: [
    ({ config }) => [folder('etcd-data', config.cluster.etcd.local?.dataDir ?? '')],
    // Not joined: a slash at the end of certificatesDir stays.
    ({ config }) => [folder('etcd-certs', `${config.cluster.certificatesDir}/etcd`)],
  ],
  'kube-apiserver': [
    ({ config }) => [readOnly(folder('k8s-certs', config.cluster.certificatesDir))],
    () => [readOnly(folder('ca-certs', CA_CERTIFICATES))],
    ({ config }) => etcdCertificates(config),
    hostCertificates,
    ({ config }) => config.cluster.apiServer.extraVolumes?.map(extraVolume) ?? [],
  ],
  'kube-controller-manager': [
    ({ config }) => [readOnly(folder('k8s-certs', config.cluster.certificatesDir))],
    () => [readOnly(folder('ca-certs', CA_CERTIFICATES))],
    () => [readOnly(file('kubeconfig', CONTROLLER_MANAGER_KUBECONFIG))],
    flexVolumes,
    hostCertificates,
    ({ config }) => config.cluster.controllerManager.extraVolumes?.map(extraVolume) ?? [],
  ],
  'kube-scheduler': [
    () => [readOnly(file('kubeconfig', SCHEDULER_KUBECONFIG))],
    ({ config }) => config.cluster.scheduler.extraVolumes?.map(extraVolume) ?? [],
  ],
}

/** `volumes` of the Pod and `volumeMounts` of its container. */
export interface VolumesAndMounts {
  readonly volumes: readonly JsonObject[]
  readonly volumeMounts: readonly JsonObject[]
}

/** What a component mounts, sorted by name (etcd's mounts alone keep their order). */
export function volumesAndMounts(component: ComponentName, input: PodInput): VolumesAndMounts {
  const mounts = [...new Map(MOUNTS[component].flatMap(row => row(input)).map(mount => [mount.name, mount])).values()]
  const sorted = mounts.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    volumes: sorted.map(({ name, hostPath, pathType }) => ({ name, hostPath: { path: hostPath, type: pathType } })),
    volumeMounts: (component === 'etcd' ? mounts : sorted).map(({ name, mountPath, readOnly: locked }) => ({
      name,
      mountPath,
      readOnly: locked || undefined,
    })),
  }
}

/** The folders of certificates that this host has and the release knows. */
export function hostCertificates({ config, facts }: PodInput): readonly HostPathMount[] {
  const known = valueSince(CA_DIRECTORIES, config.kubeadm) ?? []
  return known
    .filter(path => facts.directories.includes(path))
    .map(path => readOnly(folder(path.slice(1).replaceAll('/', '-'), path)))
}

function flexVolumes({ config }: PodInput): readonly HostPathMount[] {
  if (!valueSince(MOUNTS_FLEX_VOLUMES, config.kubeadm)) return []
  const path = argumentValue(config.cluster.controllerManager.extraArgs, 'flex-volume-plugin-dir') ?? FLEX_VOLUMES
  return [folder('flexvolume-dir', path)]
}

// The empty type is written: kubeadm always sets it for extra volumes.
function extraVolume(mount: HostPathMount): HostPathMount {
  return { ...mount, pathType: mount.pathType ?? '' }
}

function folder(name: string, path: string): HostPathMount {
  return { name, hostPath: path, mountPath: path, pathType: 'DirectoryOrCreate' }
}

function file(name: string, path: string): HostPathMount {
  return { name, hostPath: path, mountPath: path, pathType: 'FileOrCreate' }
}

function readOnly(mount: HostPathMount): HostPathMount {
  return { ...mount, readOnly: true }
}

/** The folders of an external etcd's certificates, as far as nothing else mounts them. */
function etcdCertificates(config: InitConfig): readonly HostPathMount[] {
  const { external } = config.cluster.etcd
  if (external === undefined) return []
  return etcdFolders(external, config).map((path, index) => readOnly(folder(`etcd-certs-${index}`, path)))
}

function etcdFolders({ caFile, certFile, keyFile }: ExternalEtcd, config: InitConfig): readonly string[] {
  // kubeadm compares strings, not paths: /etc/kubernetes/pki2 counts as within /etc/kubernetes/pki.
  const mounted = [
    ...(valueSince(CA_DIRECTORIES, config.kubeadm) ?? []),
    CA_CERTIFICATES,
    config.cluster.certificatesDir,
  ]
  let folders: readonly string[] = []
  for (const path of [caFile, certFile, keyFile].filter(Boolean).map(folderOf)) {
    if (mounted.some(prefix => path.startsWith(prefix))) continue
    const within = folders.some(other => path.startsWith(other) && !other.startsWith(path))
    folders = folders.filter(other => !other.startsWith(path))
    if (!within) folders = [...folders, path]
  }
  return folders.toSorted()
}

/** As Go's filepath.Dir. */
function folderOf(path: string): string {
  const folder = posix.normalize(path.slice(0, path.lastIndexOf('/') + 1))
  return folder.length > 1 && folder.endsWith('/') ? folder.slice(0, -1) : folder
}
