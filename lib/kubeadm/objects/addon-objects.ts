/**
 * What a test cluster is expected to have beyond what kubeadm gives it, one part a row: `--addons` names them. None
 * brings an image; the agent of the cluster does what the objects promise.
 */
import type { JsonObject } from '../../base/json.ts'
import type { Version } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { ProfileName } from '../profile/profile-patch.ts'
import { type ClusterObject, created } from './cluster-object.ts'
import { configMap } from './config-map.ts'

export type AddonName = 'storage' | 'load-balancer' | 'network-policy'

export interface Addon {
  readonly name: AddonName
  /** What it gives, for people. */
  readonly about: string
  /** Profiles that have it unless --addons says otherwise. */
  readonly profiles: readonly ProfileName[]
  /** What goes into the API server. */
  readonly objects: readonly JsonObject[]
}

/** Who makes the volumes of our StorageClass. */
export const PROVISIONER = 'kubestep/folder'

export const ADDONS: readonly Addon[] = [
  {
    name: 'storage',
    about: 'a default StorageClass `standard`: each claim gets a folder of the node that its Pod is on',
    profiles: ['ci'],
    objects: [
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: PROVISIONER,
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'WaitForFirstConsumer',
        allowVolumeExpansion: true,
      },
    ],
  },
  {
    name: 'load-balancer',
    about: 'Services of type LoadBalancer get an address that this machine and its Pods reach',
    profiles: ['ci'],
    objects: [],
  },
  {
    name: 'network-policy',
    about: 'NetworkPolicies are enforced, by tables of nftables',
    profiles: ['ci'],
    objects: [],
  },
]

/** The parts that `--addons` names, or that the profile has. */
export function chosenAddons(given: string | undefined, profile: ProfileName): readonly Addon[] {
  const names = given?.split(',')
  return ADDONS.filter(({ name, profiles }) => names?.includes(name) ?? profiles.includes(profile))
}

/** The objects of these parts. */
export function addonObjects(addons: readonly Addon[], kubeadm: Version): ClusterObject[] {
  return addons.flatMap(({ name, objects }) => created(`addons/${name}`, objects, kubeadm))
}

/**
 * What tells tools where images for this cluster are pushed: `registry` as this machine calls it, `address` as Pods do.
 * Source: KEP-1755, Communicating a local registry.
 */
export function registryObjects(registry: string, address: string, kubeadm: Version): ClusterObject[] {
  const port = registry.slice(registry.lastIndexOf(':') + 1)
  const host = address.includes(':') ? `[${address}]` : address
  const hosting = { host: registry, hostFromContainerRuntime: registry, hostFromClusterNetwork: `${host}:${port}` }
  const metadata = { name: 'local-registry-hosting', namespace: 'kube-public' }
  return created('registry', [configMap(metadata, { 'localRegistryHosting.v1': stringify(hosting) })], kubeadm)
}
