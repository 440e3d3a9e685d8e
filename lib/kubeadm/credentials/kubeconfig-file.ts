/** One kubeconfig: its object and its text. Source: client-go tools/clientcmd/api/v1 (v1.36), kubeadm util/kubeconfig. */
import type { JsonObject } from '../../base/json.ts'
import { type Since, type Version, valueSince } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'

export interface KubeconfigContent {
  readonly server: string
  readonly cluster: string
  readonly user: string
  /** PEM; what is absent is left out, as in the kubeconfigs that go with signing requests. */
  readonly authority?: string
  readonly certificate?: string
  readonly key?: string
  /** A bearer token, in place of certificate and key. */
  readonly token?: string
}

// Source: client-go tools/clientcmd/api/v1/types.go: `preferences,omitzero` (1.34).
const HAS_PREFERENCES: Since<boolean> = { '1.18': true, '1.34': false }

/** The kubeconfig as an object, complete with everything that the kubeadm release writes. */
export function kubeconfigObject(content: KubeconfigContent, kubeadm: Version): JsonObject {
  const { server, cluster, user, authority, certificate, key, token } = content
  const context = `${user}@${cluster}`
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: cluster, cluster: { server, ...(authority && { 'certificate-authority-data': base64(authority) }) } },
    ],
    contexts: [{ name: context, context: { cluster, user } }],
    'current-context': context,
    ...(valueSince(HAS_PREFERENCES, kubeadm) && { preferences: {} }),
    users: [
      {
        name: user,
        user: {
          ...(certificate && { 'client-certificate-data': base64(certificate) }),
          ...(key && { 'client-key-data': base64(key) }),
          ...(token && { token }),
        },
      },
    ],
  }
}

/** The kubeconfig as a file. */
export function kubeconfigText(content: KubeconfigContent, kubeadm: Version): string {
  return stringify(kubeconfigObject(content, kubeadm))
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
