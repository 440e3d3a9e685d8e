/** What this machine is in its cluster, from its own files: none of it needs an API server that answers. */

import { isObject, type JsonObject } from '../../base/json.ts'
import { parseVersion, type Version } from '../../base/version.ts'
import { parse } from '../../base/yaml.ts'
import { imageTag } from '../../cluster/api/running-versions.ts'
import { clusterSocket } from '../../cluster/diagnose/machine-context.ts'
import type { EtcdMember } from '../../kubeadm/manifests/command-line.ts'
import { manifestPath } from '../../kubeadm/manifests/manifests.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import type { StoredNode } from '../../kubeadm/upgrade/stored-cluster.ts'
import { advertisedEndpoint, nodeName } from '../run/live-config.ts'

type Read = (path: string) => string | undefined

/** This machine as a node; without an endpoint it is a worker. `hostname` stands in where kubelet.conf says nothing. */
export function thisNode(read: Read, hostname: string): StoredNode {
  const endpoint = advertisedEndpoint(read)
  return {
    name: nodeName(read) ?? hostname.trim().toLowerCase(),
    criSocket: clusterSocket() ?? '',
    ...(endpoint !== undefined && { endpoint }),
  }
}

/** Version of the API server whose manifest lies here; undefined on a worker. */
export function apiserverVersion(read: Read): Version | undefined {
  const pod = manifest(read, 'kube-apiserver')
  return pod === undefined ? undefined : parseVersion(imageTag(pod.spec))
}

/** The members by which an etcd that joined others was started; none for one that was the first. */
export function joinedMembers(read: Read): readonly EtcdMember[] {
  const pod = manifest(read, 'etcd')
  const flag = (name: string): string | undefined => podArgument(pod, name)
  if (flag('initial-cluster-state') !== 'existing') return []
  return (flag('initial-cluster') ?? '').split(',').flatMap(member => {
    const [, name, peerUrl] = /^([^=]+)=(.+)$/.exec(member) ?? []
    return name === undefined || peerUrl === undefined ? [] : [{ name, peerUrl }]
  })
}

function manifest(read: Read, component: 'etcd' | 'kube-apiserver'): JsonObject | undefined {
  const text = read(manifestPath(component))
  const pod = text === undefined ? undefined : parse(text)
  return isObject(pod) ? pod : undefined
}
