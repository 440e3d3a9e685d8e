/** What upload-config puts into the cluster: the configuration of kubeadm and of the kubelets, for nodes to join by. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince, type Since, valueSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { kubeletConfiguration } from '../component-configs/kubelet-config.ts'
import { isFeatureEnabled } from '../config/features.ts'
import { WRITTEN_API_VERSION } from '../config/kinds.ts'
import { printClusterConfiguration } from '../config/print-config.ts'
import { isSocketNodeLocal } from '../kubelet/instance-config.ts'
import type { ApplyPatches } from '../kubelet/kubelet-files.ts'
import { componentConfigMap, configMap } from './config-map.ts'
import { BOOTSTRAP_GROUP, boundRole, group, NODES_GROUP, reading, SYSTEM } from './rbac.ts'

/** Until 1.21 the ConfigMap also listed the API endpoints. Source: uploadconfig.go (v1.21, v1.22). */
const CLUSTER_STATUS: Since<boolean> = { '1.18': true, '1.22': false }

/** Since 1.25 the kubelet's ConfigMap has one name whatever the gate says. Source: phases/kubelet/config.go (v1.24, v1.25). */
const ALWAYS_UNVERSIONED = '1.25'

/**
 * For a while the patches for the kubelet also reached the ConfigMap. Source: CHANGELOG 1.27.0 (k/k PR 115575) and
 * 1.29.2 (123108); the cherry picks 123107 and 123106 went into the patch releases of that day.
 */
const PATCHED_CONFIG_MAP: Since<boolean> = {
  '1.27': true,
  '1.27.11': false,
  '1.28': true,
  '1.28.7': false,
  '1.29': true,
  '1.29.2': false,
}

/** Since 1.31 resolvConf is chosen when the file is written. Source: componentconfigs/kubelet_unix.go (v1.31). */
const LATE_RESOLV_CONF = '1.31'

/** ConfigMap kubeadm-config and who may read it. */
export function kubeadmConfigObjects(config: InitConfig): JsonObject[] {
  const apiVersion = valueSince(WRITTEN_API_VERSION, config.kubeadm) ?? 'kubeadm.k8s.io/v1beta2'
  const data = {
    ClusterConfiguration: stringify(printClusterConfiguration(config, apiVersion)),
    ...(valueSince(CLUSTER_STATUS, config.kubeadm) && { ClusterStatus: stringify(clusterStatus(config, apiVersion)) }),
  }
  const readers = [group(BOOTSTRAP_GROUP), group(NODES_GROUP)]
  return [
    configMap({ name: 'kubeadm-config', namespace: SYSTEM }, data),
    ...boundRole(SYSTEM, 'kubeadm:nodes-kubeadm-config', reading('configmaps', 'kubeadm-config'), readers),
  ]
}

function clusterStatus({ init }: InitConfig, apiVersion: string): JsonObject {
  const { advertiseAddress, bindPort } = init.localAPIEndpoint
  return {
    apiVersion,
    kind: 'ClusterStatus',
    apiEndpoints: { [init.nodeRegistration.name]: { advertiseAddress, bindPort } },
  }
}

/** What decides about the kubelets' configuration besides the user's. */
export interface KubeletConfigInputs {
  readonly facts: Pick<HostFacts, 'systemdResolved'>
  readonly apply?: ApplyPatches
  /** False when kubelet-start does not run in the same init: 1.31 and later then leave resolvConf out. */
  readonly kubeletStarted: boolean
}

/** ConfigMap kubelet-config and who may read it. */
export function kubeletConfigObjects(
  config: InitConfig,
  { facts, apply, kubeletStarted }: KubeletConfigInputs,
): JsonObject[] {
  const name = kubeletConfigMapName(config)
  const isChosen = kubeletStarted || !isSince(config.kubeadm, LATE_RESOLV_CONF)
  const configuration = kubeletConfiguration(config, { systemdResolved: facts.systemdResolved && isChosen })
  const isPatched = valueSince(PATCHED_CONFIG_MAP, config.kubeadm) === true && apply !== undefined
  const stored = isPatched ? apply('kubeletconfiguration', configuration) : configuration
  const readers = [group(NODES_GROUP), group(BOOTSTRAP_GROUP)]
  return [
    componentConfigMap(
      { name, namespace: SYSTEM },
      { kubelet: stringify(stored) },
      config.kubelet.userSupplied,
      config.kubeadm,
    ),
    ...boundRole(SYSTEM, `kubeadm:${name}`, reading('configmaps', name), readers),
  ]
}

/** `kubelet-config`, in old releases with the minor version of the cluster behind it. */
export function kubeletConfigMapName({ cluster, kubeadm, version }: InitConfig): string {
  const isVersioned =
    !isSince(kubeadm, ALWAYS_UNVERSIONED) &&
    !isFeatureEnabled('UnversionedKubeletConfigMap', cluster.featureGates, kubeadm)
  return isVersioned ? `kubelet-config-${version.major}.${version.minor}` : 'kubelet-config'
}

/** The patch that notes the CRI socket on the Node, where instance-config.yaml does not keep it; gone in 1.36. */
export function criSocketPatch(config: InitConfig): JsonObject | undefined {
  if (isSince(config.kubeadm, '1.36') || isSocketNodeLocal(config)) return undefined
  const { criSocket } = config.init.nodeRegistration
  return { metadata: { annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': criSocket } } }
}
