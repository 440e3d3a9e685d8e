/** What bootstrap-token puts into the cluster: the tokens, what they are allowed, and cluster-info for finding it. */

import { durationMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { BootstrapToken, InitConfig } from '../../base/kubeadm.ts'
import { parseToken } from '../../base/token.ts'
import { isSince, type Since, type Version, valueSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import { configMap } from './config-map.ts'
import type { ClusterAccess } from './join-command.ts'
import {
  BOOTSTRAP_GROUP,
  boundRole,
  clusterRole,
  clusterRoleBinding,
  group,
  NODES_GROUP,
  PUBLIC,
  reading,
  type Subject,
  SYSTEM,
  user,
} from './rbac.ts'

interface BindingRow {
  readonly name: string
  readonly role: string
  readonly subject: Subject
  /** In which kubeadm releases; absent means in all. */
  readonly releases?: Since<boolean>
}

const NODE_CSR = 'system:certificates.k8s.io:certificatesigningrequests'

/** Source: kubeadm phases/bootstraptoken/node/tlsbootstrap.go (v1.18 to v1.36). */
const BINDINGS: readonly BindingRow[] = [
  { name: 'kubeadm:kubelet-bootstrap', role: 'system:node-bootstrapper', subject: group(BOOTSTRAP_GROUP) },
  { name: 'kubeadm:node-autoapprove-bootstrap', role: `${NODE_CSR}:nodeclient`, subject: group(BOOTSTRAP_GROUP) },
  {
    name: 'kubeadm:node-autoapprove-certificate-rotation',
    role: `${NODE_CSR}:selfnodeclient`,
    subject: group(NODES_GROUP),
  },
  {
    name: 'kubeadm:apiserver-kubelet-client',
    role: 'system:kubelet-api-admin',
    subject: user('kube-apiserver-kubelet-client'),
    // CHANGELOG 1.33.12, 1.34.8, 1.35.5 and 1.36.1 (k/k PR 138958 and its cherry picks).
    releases: {
      '1.33.12': true,
      '1.34': false,
      '1.34.8': true,
      '1.35': false,
      '1.35.5': true,
      '1.36': false,
      '1.36.1': true,
    },
  },
]

/** Tokens may look at Nodes. Source: CHANGELOG 1.18.1; tlsbootstrap.go gave the cluster-wide role a namespace until v1.28. */
const GET_NODES_SINCE = '1.18.1'
const GET_NODES_WITHOUT_NAMESPACE = '1.29'

/** kubeconfigs lost their empty `preferences`. Source: seen in 1.33.13, gone in 1.34.9. */
const NO_PREFERENCES = '1.34'

/** All objects of the phase; lifetimes begin `now`. Throws a KubestepError for a token that is none. */
export function bootstrapTokenObjects(config: InitConfig, access: ClusterAccess, now: Date): JsonObject[] {
  return [
    ...config.init.bootstrapTokens.map(token => tokenSecret(token, now)),
    ...getNodesObjects(config.kubeadm),
    ...BINDINGS.filter(({ releases }) => releases === undefined || valueSince(releases, config.kubeadm)).map(
      ({ name, role, subject }) => clusterRoleBinding(name, role, [subject]),
    ),
    configMap({ name: 'cluster-info', namespace: PUBLIC }, { kubeconfig: stringify(clusterInfo(config, access)) }),
    ...boundRole(PUBLIC, 'kubeadm:bootstrap-signer-clusterinfo', reading('configmaps', 'cluster-info'), [
      user('system:anonymous'),
    ]),
  ]
}

/**
 * The Secret of a token; it ends `ttl` from now, or never when that is zero.
 * Throws a KubestepError that does not show the token when it is none.
 * Source: kubeadm apis/bootstraptoken/v1/utils.go, encodeTokenSecretData (v1.36).
 */
export function tokenSecret(token: BootstrapToken, now: Date): JsonObject {
  const parts = parseToken(token.token)
  if (parts === undefined)
    throw new KubestepError('bootstrap-token: cannot store a token: it is not of the form id.secret')
  const expiration = token.expires === undefined ? endOf(token.ttl ?? '0', now) : new Date(token.expires)
  const data: Record<string, string> = {
    'token-id': parts.id,
    'token-secret': parts.secret,
    ...(token.description && { description: token.description }),
    ...(expiration !== undefined && { expiration: formatTime(expiration) }),
    ...Object.fromEntries(token.usages.map(usage => [`usage-bootstrap-${usage}`, 'true'])),
    ...(token.groups !== undefined && token.groups.length > 0 && { 'auth-extra-groups': token.groups.join(',') }),
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${parts.id}`, namespace: SYSTEM },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
  }
}

/** Text as a Secret holds it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function endOf(ttl: string, now: Date): Date | undefined {
  const milliseconds = durationMilliseconds(ttl)
  return milliseconds > 0 ? new Date(now.getTime() + milliseconds) : undefined
}

// RFC 3339 in UTC, whole seconds.
function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

function getNodesObjects(kubeadm: Version): JsonObject[] {
  if (!isSince(kubeadm, GET_NODES_SINCE)) return []
  const name = 'kubeadm:get-nodes'
  const objects = [
    clusterRole(name, [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]),
    clusterRoleBinding(name, name, [group(BOOTSTRAP_GROUP)]),
  ]
  if (isSince(kubeadm, GET_NODES_WITHOUT_NAMESPACE)) return objects
  return objects.map(object => ({ ...object, metadata: { name, namespace: SYSTEM } }))
}

/** A kubeconfig without a user: what anybody may know. */
function clusterInfo({ kubeadm }: InitConfig, { server, caCertificate }: ClusterAccess): JsonObject {
  const cluster = { 'certificate-authority-data': base64(caCertificate), server }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster }],
    contexts: null,
    'current-context': '',
    ...(!isSince(kubeadm, NO_PREFERENCES) && { preferences: {} }),
    users: null,
  }
}
