/**
 * Certificates and certificate signing requests, in exactly the shape that kubeadm gives them through Go's
 * crypto/x509: the same fields, extensions, order and string types. Source: RFC 5280, RFC 2986;
 * kubeadm util/pkiutil/pki_helpers.go (v1.36), Go crypto/x509 CreateCertificate.
 */
import { createHash } from 'node:crypto'
import { BITS, parseAddress } from '../../base/address.ts'
import {
  bitString,
  boolean,
  context,
  directoryString,
  integer,
  nothing,
  octetString,
  oid,
  readElement,
  readElements,
  sequence,
  setOf,
  time,
} from './der.ts'
import { type PrivateKey, signatureOf, signWith } from './keys.ts'

export interface Subject {
  readonly commonName: string
  readonly organizations: readonly string[]
}

/** Names a certificate is valid for; addresses as text. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

export type Usage = 'serverAuth' | 'clientAuth'

/** Hash that makes the subject key identifier of a CA. */
export type KeyIdentifierHash = 'sha1' | 'sha256'

export interface CertificateTemplate {
  readonly subject: Subject
  readonly names: AlternativeNames
  readonly usages: readonly Usage[]
  readonly ca: boolean
  /** Whether a leaf says `CA:FALSE`; a CA always says `CA:TRUE`. */
  readonly basicConstraints: boolean
  readonly keyIdentifierHash: KeyIdentifierHash
  /** Big-endian, positive. */
  readonly serial: Uint8Array
  /** Whole seconds. */
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Who signs. */
export interface Issuer {
  readonly key: PrivateKey
  /** DER of its subject. */
  readonly subject: Uint8Array
  /** Absent when its certificate has none. */
  readonly keyIdentifier?: Uint8Array
}

export const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  basicConstraints: '2.5.29.19',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  subjectAlternativeName: '2.5.29.17',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const

export const USAGE_OIDS: Readonly<Record<Usage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

// digitalSignature (bit 0), keyEncipherment (2), and for CAs keyCertSign (5); ECDSA keys too.
const CA_KEY_USAGE = bitString(Uint8Array.of(0xa4), 2)
const LEAF_KEY_USAGE = bitString(Uint8Array.of(0xa0), 5)

/** A signed certificate in DER. Without an issuer it is signed by itself, with `key`. */
export function certificate(template: CertificateTemplate, key: PrivateKey, issuer?: Issuer): Uint8Array {
  return signed(
    toBeSigned(template, key.publicKey, issuer ?? { key, subject: name(template.subject) }),
    issuer?.key ?? key,
  )
}

/** The part of a certificate that the signature covers, in DER. */
export function toBeSigned(template: CertificateTemplate, publicKey: Uint8Array, issuer: Issuer): Uint8Array {
  const subject = name(template.subject)
  return sequence(
    context(0, 'constructed', integer(Uint8Array.of(2))),
    integer(template.serial),
    algorithmIdentifier(issuer.key),
    issuer.subject,
    sequence(time(template.notBefore), time(template.notAfter)),
    subject,
    publicKey,
    context(3, 'constructed', sequence(...extensions(template, publicKey, subject, issuer))),
  )
}

/** A certificate signing request in DER: subject, key and names; the signer decides about the rest. */
export function certificateRequest(subject: Subject, names: AlternativeNames, key: PrivateKey): Uint8Array {
  const wanted = alternativeNames(names)
  const request = sequence(oid(OID.extensionRequest), setOf(sequence(...wanted)))
  return signed(
    sequence(
      integer(Uint8Array.of(0)),
      name(subject),
      key.publicKey,
      context(0, 'constructed', ...(wanted.length === 0 ? [] : [request])),
    ),
    key,
  )
}

/** The subject key identifier: the first 20 bytes of the hash of the key's bits. */
export function keyIdentifier(publicKey: Uint8Array, hash: KeyIdentifierHash): Uint8Array {
  // The last element of a SubjectPublicKeyInfo is the BIT STRING; its first byte counts unused bits.
  const bits = readElements(readElement(publicKey).content).at(-1)?.content.subarray(1) ?? new Uint8Array()
  return createHash(hash).update(bits).digest().subarray(0, 20)
}

/** A distinguished name in DER: organizations (one set of all of them), then the common name, as Go orders them. */
export function name({ commonName, organizations }: Subject): Uint8Array {
  const attribute = (type: string, text: string): Uint8Array => sequence(oid(type), directoryString(text))
  return sequence(
    ...(organizations.length === 0 ? [] : [setOf(...organizations.map(text => attribute(OID.organization, text)))]),
    ...(commonName === '' ? [] : [setOf(attribute(OID.commonName, commonName))]),
  )
}

function signed(content: Uint8Array, key: PrivateKey): Uint8Array {
  return sequence(content, algorithmIdentifier(key), bitString(signWith(key, content)))
}

// RSA has NULL parameters, ECDSA none (RFC 4055, RFC 5758).
function algorithmIdentifier(key: PrivateKey): Uint8Array {
  return sequence(oid(signatureOf(key).algorithm), ...(key.key.asymmetricKeyType === 'rsa' ? [nothing()] : []))
}

function extensions(
  template: CertificateTemplate,
  publicKey: Uint8Array,
  subject: Uint8Array,
  issuer: Issuer,
): Uint8Array[] {
  const { ca, usages, names, keyIdentifierHash } = template
  const list = [extension(OID.keyUsage, ca ? CA_KEY_USAGE : LEAF_KEY_USAGE, 'critical')]
  if (usages.length > 0) {
    list.push(extension(OID.extendedKeyUsage, sequence(...usages.map(usage => oid(USAGE_OIDS[usage])))))
  }
  if (ca || template.basicConstraints) {
    list.push(extension(OID.basicConstraints, sequence(...(ca ? [boolean(true)] : [])), 'critical'))
  }
  if (ca) list.push(extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(publicKey, keyIdentifierHash))))
  // Go leaves it out when both names are the same, whoever signed.
  if (issuer.keyIdentifier !== undefined && Buffer.compare(issuer.subject, subject) !== 0) {
    const identifier = context(0, 'primitive', issuer.keyIdentifier)
    list.push(extension(OID.authorityKeyIdentifier, sequence(identifier)))
  }
  return [...list, ...alternativeNames(names)]
}

function extension(type: string, value: Uint8Array, critical?: 'critical'): Uint8Array {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** The extension of names, or nothing when there are none. */
function alternativeNames({ dnsNames, ipAddresses }: AlternativeNames): Uint8Array[] {
  if (dnsNames.length === 0 && ipAddresses.length === 0) return []
  const general = [
    ...dnsNames.map(text => context(2, 'primitive', Buffer.from(text, 'latin1'))),
    ...ipAddresses.map(text => context(7, 'primitive', addressBytes(text))),
  ]
  return [extension(OID.subjectAlternativeName, sequence(...general))]
}

/** The 4 or 16 bytes of an address. Throws a RangeError when the text is none. */
export function addressBytes(text: string): Uint8Array {
  const address = parseAddress(text)
  if (address === undefined) throw new RangeError(`${JSON.stringify(text)} is not an IP address`)
  return Buffer.from(address.value.toString(16).padStart(BITS[address.family] / 4, '0'), 'hex')
}
