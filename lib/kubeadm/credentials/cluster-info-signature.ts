/**
 * The signatures in the cluster-info ConfigMap, by which a joining node trusts the cluster before it knows its CA: one
 * for each bootstrap token, a detached JWS over the kubeconfig in it, keyed with the token's secret.
 * Source: cluster-bootstrap token/jws/jws.go (v1.36).
 */

import { CompactSign } from 'jose/jws/compact/sign'
import { compactVerify } from 'jose/jws/compact/verify'
import type { Token } from '../../base/token.ts'

const ALGORITHM = 'HS256'

/** What keys of the ConfigMap that hold signatures begin with; the id of the token follows. */
export const SIGNATURE_PREFIX = 'jws-kubeconfig-'

/** The key of the ConfigMap that holds a token's signature. */
export function signatureKey(tokenId: string): string {
  return `${SIGNATURE_PREFIX}${tokenId}`
}

/** Signs the text of the kubeconfig, as the controller manager does: `<header>..<signature>`. */
export async function signClusterInfo(kubeconfig: string, token: Token): Promise<string> {
  const signed = new CompactSign(Buffer.from(kubeconfig)).setProtectedHeader({ alg: ALGORITHM, kid: token.id })
  return (await signed.sign(Buffer.from(token.secret))).replace(/\..*\./, '..')
}

/** Whether a signature is the token's and of exactly this text. */
export async function isClusterInfoSigned(kubeconfig: string, signature: string, token: Token): Promise<boolean> {
  const [header, payload, end, ...rest] = signature.split('.')
  if (payload !== '' || rest.length > 0) return false
  const whole = `${header}.${Buffer.from(kubeconfig).toString('base64url')}.${end}`
  try {
    const { protectedHeader } = await compactVerify(whole, Buffer.from(token.secret), { algorithms: [ALGORITHM] })
    return protectedHeader.kid === token.id
  } catch {
    return false
  }
}
