/** The container images of a control plane node, by component and as the list that `kubeadm config images list` prints. */
import type { ClusterConfiguration, InitConfig } from '../../base/kubeadm.ts'
import { formatVersion, type Since, valueSince } from '../../base/version.ts'
import {
  bundledVersions,
  CI_REPOSITORIES,
  defaultImageRepository,
  ETCD_OF_OLDER,
  NESTED_COREDNS,
} from './image-versions.ts'

export type ImageName =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'coredns'
  | 'pause'
  | 'etcd'

/** What images are decided from. */
export type ImageConfig = Pick<InitConfig, 'version' | 'kubeadm' | 'joins'> & {
  readonly cluster: Pick<ClusterConfiguration, 'kubernetesVersion' | 'imageRepository' | 'etcd' | 'dns' | 'proxy'>
}

const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'] as const

/** What no worker runs. */
export const CONTROL_PLANE_ALONE: readonly ImageName[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'etcd',
]

/** The order of the list. Source: kubeadm images/images.go; CoreDNS moved with k/k PR 114534 (seen in 1.29.6). */
export const LIST_ORDER: Since<readonly ImageName[]> = {
  '1.18': [...CONTROL_PLANE, 'pause', 'etcd', 'coredns'],
  '1.29': [...CONTROL_PLANE, 'coredns', 'pause', 'etcd'],
}

/** Source: kubeadm apis/output; CHANGELOG 1.23.0 and 1.31.0 (k/k PR 124464). */
export const OUTPUT_API_VERSIONS: Since<string> = {
  '1.18': 'output.kubeadm.k8s.io/v1alpha1',
  '1.23': 'output.kubeadm.k8s.io/v1alpha2',
  '1.31': 'output.kubeadm.k8s.io/v1alpha3',
}

/** How each image gets its name. */
const IMAGES: Readonly<Record<ImageName, (config: ImageConfig) => string>> = {
  'kube-apiserver': kubernetesImage('kube-apiserver'),
  'kube-controller-manager': kubernetesImage('kube-controller-manager'),
  'kube-scheduler': kubernetesImage('kube-scheduler'),
  'kube-proxy': kubernetesImage('kube-proxy'),
  coredns: corednsImage,
  pause: ({ cluster, kubeadm }) => `${cluster.imageRepository}/pause:${bundledVersions(kubeadm).pause}`,
  etcd: config =>
    `${config.cluster.etcd.local?.imageRepository || config.cluster.imageRepository}/etcd:${etcdTag(config)}`,
}

/** The image of one component, e.g. `registry.k8s.io/pause:3.10.2`. Source: kubeadm images/images.go (v1.36). */
export function imageOf(name: ImageName, config: ImageConfig): string {
  return IMAGES[name](config)
}

/** Every image an init or a join needs, in the order that kubeadm's release prints them. Source: kubeadm images/images.go (v1.36). */
export function imageList(config: ImageConfig): string[] {
  const { etcd, dns, proxy } = config.cluster
  const left = new Set<ImageName>()
  if (etcd.local === undefined) left.add('etcd')
  if (dns.disabled) left.add('coredns')
  if (proxy.disabled) left.add('kube-proxy')
  // CoreDNS may come to a node that joins, or never: it need not be there.
  if (config.joins !== undefined) left.add('coredns')
  if (config.joins === 'worker') for (const name of CONTROL_PLANE_ALONE) left.add(name)
  const order = valueSince(LIST_ORDER, config.kubeadm) ?? []
  return order.filter(name => !left.has(name)).map(name => imageOf(name, config))
}

/** What the first static Pods are made of, and so what the others wait for. */
const FIRST: readonly ImageName[] = ['pause', 'etcd', 'kube-apiserver']

/** Images in the order in which a cluster needs them; those that the tables do not know come last. */
export function pullOrder(images: readonly string[]): string[] {
  const rank = (image: string): number => {
    const at = FIRST.findIndex(name => new RegExp(`(?:^|/)${name}(?:[:@]|$)`).test(image))
    return at === -1 ? FIRST.length : at
  }
  return images.toSorted((a, b) => rank(a) - rank(b))
}

/** The object that `config images list -o json` prints. */
export interface ImagesObject {
  readonly kind: 'Images'
  readonly apiVersion: string
  readonly images: readonly string[]
}

/** The list as kubeadm's output API has it; key order is that of kubeadm's JSON. */
export function imagesObject(config: ImageConfig): ImagesObject {
  const apiVersion = valueSince(OUTPUT_API_VERSIONS, config.kubeadm) ?? 'output.kubeadm.k8s.io/v1alpha1'
  return { kind: 'Images', apiVersion, images: imageList(config) }
}

/** Tag of the etcd image; decides which flags etcd gets. Source: kubeadm images.GetEtcdImageTag (v1.35). */
export function etcdTag({ cluster, version, kubeadm }: ImageConfig): string {
  const older = version.major === kubeadm.major && version.minor < kubeadm.minor
  const bundled = (older ? valueSince(ETCD_OF_OLDER, kubeadm) : undefined) ?? bundledVersions(kubeadm).etcd
  return cluster.etcd.local?.imageTag || bundled
}

function kubernetesImage(name: ImageName): (config: ImageConfig) => string {
  return config => `${kubernetesRepository(config)}/${name}:${tagOf(formatVersion(config.version))}`
}

// CI builds are not in mirrors, so only the default registry is swapped.
function kubernetesRepository({ cluster, kubeadm }: ImageConfig): string {
  const ci = cluster.kubernetesVersion.startsWith('ci/')
  if (!ci || cluster.imageRepository !== defaultImageRepository(kubeadm)) return cluster.imageRepository
  return valueSince(CI_REPOSITORIES, kubeadm) ?? cluster.imageRepository
}

function corednsImage({ cluster, kubeadm }: ImageConfig): string {
  const repository = cluster.dns.imageRepository || cluster.imageRepository
  const nested = valueSince(NESTED_COREDNS, kubeadm)
  const within =
    nested === 'always' || (nested === 'default repository' && repository === defaultImageRepository(kubeadm))
  return `${repository}/${within ? 'coredns/' : ''}coredns:${cluster.dns.imageTag || bundledVersions(kubeadm).coredns}`
}

/** A version as an image tag: what tags cannot hold becomes `_`, e.g. the `+` of a build. */
export function tagOf(version: string): string {
  return version.replaceAll(/[^-a-zA-Z0-9_.]/g, '_')
}
