/** Patches of this machine's Node, and what kubeadm's dry run prints in their place. */

import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince, type Since, valueSince } from '../../base/version.ts'
import { asSerialised, type ClusterObject } from './cluster-object.ts'

/** Since 1.32 the dry run's client answers with a Node of its own. Source: kubeadm util/apiclient/dryrun.go (v1.32). */
const IMAGINED_NODE = '1.32'

/** What that Node was annotated with. Source: dryrun.go (v1.32 to v1.34). */
const IMAGINED_ANNOTATIONS: Since<JsonObject | undefined> = {
  '1.32': { 'kubeadm.alpha.kubernetes.io/cri-socket': 'dry-run-cri-socket' },
  '1.35': undefined,
}

/** Source: kubeadm phases/markcontrolplane/markcontrolplane.go, constants.go of each release. */
const LABELS: Since<readonly string[]> = {
  '1.18': ['node-role.kubernetes.io/master'],
  '1.20': ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'],
  '1.21': [
    'node-role.kubernetes.io/control-plane',
    'node-role.kubernetes.io/master',
    'node.kubernetes.io/exclude-from-external-load-balancers',
  ],
  '1.24': ['node-role.kubernetes.io/control-plane', 'node.kubernetes.io/exclude-from-external-load-balancers'],
}

/** The labels a control plane node gets. */
export function controlPlaneLabels({ kubeadm }: Pick<InitConfig, 'kubeadm'>): readonly string[] {
  return valueSince(LABELS, kubeadm) ?? []
}

/** Labels and taints of a control plane node as a patch; a node that has none of the taints yet is assumed. */
export function controlPlanePatch(config: InitConfig): JsonObject {
  const labels = Object.fromEntries(controlPlaneLabels(config).map(label => [label, '']))
  const taints = config.init.nodeRegistration.taints.map(({ key, value, effect }) => ({
    key,
    ...(value && { value }),
    effect,
  }))
  return { metadata: { labels }, ...(taints.length > 0 && { spec: { taints } }) }
}

/** A patch of this node as an object of a phase. */
export function nodePatch(phase: string, config: InitConfig, patch: JsonObject): ClusterObject {
  const { name } = config.init.nodeRegistration
  return {
    phase,
    verb: 'PATCH',
    resource: 'nodes',
    name,
    namespace: '',
    object: patch,
    ...(isSince(config.kubeadm, IMAGINED_NODE) && { shown: asSerialised(imaginedNode(config), config.kubeadm) }),
  }
}

function imaginedNode({ init, kubeadm }: InitConfig): JsonObject {
  const { name } = init.nodeRegistration
  const annotations = valueSince(IMAGINED_ANNOTATIONS, kubeadm)
  const nothing = [
    'architecture',
    'bootID',
    'containerRuntimeVersion',
    'kernelVersion',
    'kubeProxyVersion',
    'kubeletVersion',
    'machineID',
    'operatingSystem',
    'osImage',
    'systemUUID',
  ]
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...(annotations && { annotations }), labels: { 'kubernetes.io/hostname': name }, name },
    spec: {},
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: Object.fromEntries(nothing.map(field => [field, ''])),
    },
  }
}
