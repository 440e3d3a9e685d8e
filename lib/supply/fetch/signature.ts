/**
 * Keyless signatures as cosign leaves them beside a file: `<file>.sig`, and `<file>.cert` with the certificate of a
 * key that lived for ten minutes. Checked: the signature over the file, the chain from the certificate to Fulcio's
 * root, that it is for signing code, that it was issued to the right account, and that every certificate was valid
 * when it was issued. Not checked, since it takes Sigstore's logs and a network: that the signature was made within
 * those ten minutes (Rekor), and that the certificate was logged (its SCT).
 * Of our own: @sigstore/verify 4.1 checks a chain only at times that Rekor or a time stamp vouches for, and there is
 * neither here. Source: cosign verify-blob; Fulcio docs/oid-info.md and docs/certificate-specification.md.
 */
import { createVerify, X509Certificate } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { extensionsOf } from '../../kubeadm/credentials/certificate.ts'
import { readElement, readElements, readOid } from '../../kubeadm/credentials/der.ts'
import { KUBERNETES_TRUST, type Signer, type Trust, type TrustedAuthority } from './fulcio.ts'

export interface Signature {
  /** Content of the `.sig` file. */
  readonly signature: string
  /** Content of the `.cert` file. */
  readonly certificate: string
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
/** The account's issuer: first as bare text, since 2022 as a DER string, too. */
const ISSUER = '1.3.6.1.4.1.57264.1.1'
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8'
const EXTENDED_KEY_USAGE = '2.5.29.37'

/** The text of a signature file, when it is one: base64 of DER. */
export function readSignature(text: string): string | undefined {
  const trimmed = text.trim()
  return /^[A-Za-z0-9+/]{60,200}={0,2}$/.test(trimmed) ? trimmed : undefined
}

/** The text of a certificate file, when it is one: PEM, or base64 of that, as cosign writes it. */
export function readCertificateText(text: string): string | undefined {
  const trimmed = text.trim()
  const pem = /^[A-Za-z0-9+/=\s]+$/.test(trimmed) ? Buffer.from(trimmed, 'base64').toString() : trimmed
  return pem.startsWith('-----BEGIN CERTIFICATE-----') ? pem : undefined
}

/** Why a file does not count as signed by the one who should have; undefined when it does. `now` is the clock. */
export async function signatureFault(
  file: string,
  { signature, certificate }: Signature,
  { authority, signer }: Trust = KUBERNETES_TRUST,
  now: Date = new Date(),
): Promise<string | undefined> {
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(certificate)
  } catch {
    return 'its certificate cannot be read'
  }
  const fault = chainFault(leaf, authority, now) ?? identityFault(leaf, signer)
  if (fault !== undefined) return fault
  const verify = createVerify('SHA256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) verify.update(chunk as Uint8Array)
  return verify.verify(leaf.publicKey, Buffer.from(signature, 'base64'))
    ? undefined
    : 'the signature is not over this file, or by another key'
}

function chainFault(leaf: X509Certificate, { root, intermediates }: TrustedAuthority, now: Date): string | undefined {
  const chain = [leaf, ...[...intermediates, root].map(pem => new X509Certificate(pem))]
  const issued = new Date(leaf.validFrom)
  if (leaf.ca) return 'its certificate is that of an authority'
  if (issued > now) return 'its certificate was issued in the future; check the clock of this machine'
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? certificate
    if (certificate.issuer !== issuer.subject || !certificate.verify(issuer.publicKey)) {
      return 'its certificate does not come from Fulcio'
    }
    if (index > 0 && !certificate.ca) return 'its certificate does not come from an authority'
    if (issued < new Date(certificate.validFrom) || issued > new Date(certificate.validTo)) {
      return 'its certificate was issued when its authority was not valid'
    }
  }
  return undefined
}

function identityFault(leaf: X509Certificate, signer: Signer): string | undefined {
  const extensions = extensionsOf(leaf.raw)
  const usages = extensions.get(EXTENDED_KEY_USAGE)
  const purposes =
    usages === undefined ? [] : readElements(readElement(usages).content).map(({ content }) => readOid(content))
  if (!purposes.includes(CODE_SIGNING)) return 'its certificate is not for signing code'
  const names = leaf.subjectAltName ?? ''
  if (names !== `email:${signer.identity}`) return `it was signed by ${names || 'nobody'}, not by ${signer.identity}`
  const issuer = issuerIn(extensions)
  return issuer === signer.issuer ? undefined : `${issuer ?? 'nobody'} vouched for its signer, not ${signer.issuer}`
}

function issuerIn(extensions: ReadonlyMap<string, Uint8Array>): string | undefined {
  const newer = extensions.get(ISSUER_V2)
  const older = extensions.get(ISSUER)
  if (newer !== undefined) return Buffer.from(readElement(newer).content).toString()
  return older === undefined ? undefined : Buffer.from(older).toString()
}
