/**
 * Plans for the pair of keys that signs service account tokens, sa.key and sa.pub.
 * Source: kubeadm phases/certs/certs.go CreateServiceAccountKeyAndPublicKeyFiles (v1.36).
 */
import { same } from './certificate.ts'
import { SERVICE_ACCOUNT } from './certificates.ts'
import { MODE, NOTHING, type Plan, refusal, remark } from './credential-plan.ts'
import type { Store } from './credential-store.ts'
import { formatPrivateKey, formatPublicKey, type PrivateKey } from './keys.ts'

const AGAIN = `run 'certs ${SERVICE_ACCOUNT}' again`

/** Looks at the pair. With an external CA it must be there already, otherwise it is made or completed. */
export function planServiceAccount(store: Store, external: boolean): Plan {
  const key = store.privateKey(SERVICE_ACCOUNT)
  const publicKey = store.publicKey(SERVICE_ACCOUNT)
  if (key.state === 'damaged') {
    return refusal(
      `certs: cannot use "${key.path}": ${key.reason}; put the right key there, or delete it and "${publicKey.path}" and ${AGAIN}`,
    )
  }
  if (key.state === 'absent') {
    if (external) return refusal(`certs: cannot use the external CA: "${key.path}" is missing; put the key pair there`)
    if (publicKey.state === 'absent') return newPair(store)
    return refusal(
      `certs: cannot make "${key.path}": its public key "${publicKey.path}" is there already; put the key beside it, or delete it and ${AGAIN}`,
    )
  }
  const fault =
    publicKey.state === 'damaged'
      ? publicKey.reason
      : publicKey.state === 'there' && !same(publicKey.value, key.value.publicKey)
        ? `it does not belong to "${key.path}"`
        : undefined
  if (fault !== undefined) return refusal(`certs: cannot use "${publicKey.path}": ${fault}; delete it and ${AGAIN}`)
  const kept = remark(external ? '[certs] Using existing sa keys' : '[certs] Using the existing "sa" key')
  if (publicKey.state === 'there') return kept
  // kubeadm leaves it missing, and the API server does not start.
  const file = { path: publicKey.path, mode: MODE.secret, content: formatPublicKey(key.value.publicKey) }
  const message = '[certs] Deriving the missing "sa" public key from the existing key'
  return { ...kept, steps: [...kept.steps, { files: [file], messages: [message] }] }
}

function newPair(store: Store): Plan {
  const make = (key: PrivateKey) => ({
    files: [
      { path: store.path(SERVICE_ACCOUNT, 'key'), mode: MODE.secret, content: formatPrivateKey(key) },
      { path: store.path(SERVICE_ACCOUNT, 'pub'), mode: MODE.secret, content: formatPublicKey(key.publicKey) },
    ],
    messages: ['[certs] Generating "sa" key and public key'],
  })
  return { ...NOTHING, steps: [{ make }] }
}
