/** Roles and bindings as objects. */
import type { JsonObject } from '../../base/json.ts'

export const SYSTEM = 'kube-system'
export const PUBLIC = 'kube-public'

/** Who joins the cluster with a bootstrap token. Source: kubeadm constants.go, NodeBootstrapTokenAuthGroup. */
export const BOOTSTRAP_GROUP = 'system:bootstrappers:kubeadm:default-node-token'

/** Every node that has a certificate. */
export const NODES_GROUP = 'system:nodes'

/** Every member of this group administers the cluster, since 1.29. */
export const ADMINS_GROUP = 'kubeadm:cluster-admins'

const API_GROUP = 'rbac.authorization.k8s.io'
const API_VERSION = `${API_GROUP}/v1`

export interface Subject {
  readonly kind: 'Group' | 'User' | 'ServiceAccount'
  readonly name: string
  readonly namespace?: string
}

/** One of what a role allows. */
export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

export function group(name: string): Subject {
  return { kind: 'Group', name }
}

export function user(name: string): Subject {
  return { kind: 'User', name }
}

export function serviceAccount(name: string, namespace: string): Subject {
  return { kind: 'ServiceAccount', name, namespace }
}

/** Reading one object by its name. */
export function reading(resource: string, name: string): Rule {
  return { apiGroups: [''], resources: [resource], resourceNames: [name], verbs: ['get'] }
}

export function role(namespace: string, name: string, rules: readonly Rule[]): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Role',
    metadata: { name, namespace },
    rules: rules.map(rule => ({ ...rule })),
  }
}

/** A role and its binding, of one name. */
export function boundRole(namespace: string, name: string, rule: Rule, subjects: readonly Subject[]): JsonObject[] {
  return [role(namespace, name, [rule]), { ...binding('Role', name, name, subjects), metadata: { name, namespace } }]
}

export function clusterRole(name: string, rules: readonly Rule[]): JsonObject {
  return { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: { name }, rules: rules.map(rule => ({ ...rule })) }
}

export function clusterRoleBinding(name: string, roleName: string, subjects: readonly Subject[]): JsonObject {
  return binding('ClusterRole', name, roleName, subjects)
}

function binding(
  kind: 'Role' | 'ClusterRole',
  name: string,
  roleName: string,
  subjects: readonly Subject[],
): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: `${kind}Binding`,
    metadata: { name },
    roleRef: { apiGroup: API_GROUP, kind, name: roleName },
    subjects: subjects.map(subject => ({ ...subject })),
  }
}
