/** Certificates as they are read: the fields that decide whether one can be kept. Source: RFC 5280 4.1. */
import { createPublicKey, X509Certificate } from 'node:crypto'
import { formatAddress } from '../../base/address.ts'
import { type Element, readElement, readElements, readOid, readTime, TAG } from './der.ts'
import { formatPem, parsePem } from './pem.ts'
import { type AlternativeNames, OID, type Subject } from './x509.ts'

export interface Certificate {
  /** The whole certificate in DER. */
  readonly bytes: Uint8Array
  readonly subject: Subject
  /** DER of the names. */
  readonly subjectBytes: Uint8Array
  readonly issuerBytes: Uint8Array
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
  readonly ca: boolean
  /** Whether its key may sign certificates: keyCertSign is set, or nothing is said about the key's use. */
  readonly signsCertificates: boolean
  /** Object identifiers of the extended usages; undefined when any is allowed. */
  readonly usages: readonly string[] | undefined
  readonly names: AlternativeNames
  readonly keyIdentifier?: Uint8Array
}

/** The certificates of a PEM text, in order. Throws a RangeError that says what is wrong when there is none or one is damaged. */
export function parseCertificates(pem: string): [Certificate, ...Certificate[]] {
  const [first, ...rest] = parsePem(pem).filter(({ label }) => label === 'CERTIFICATE')
  if (first === undefined) throw new RangeError('it holds no certificate')
  return [parseCertificate(first.bytes), ...rest.map(({ bytes }) => parseCertificate(bytes))]
}

/** `CERTIFICATE` blocks, as kubeadm writes them. */
export function formatCertificate(bytes: Uint8Array): string {
  return formatPem('CERTIFICATE', bytes)
}

const ANY_USAGE = '2.5.29.37.0'
const KEY_CERT_SIGN = 0x04

/** Reads a certificate in DER. Throws a RangeError that says what is wrong. */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const whole = readElement(bytes)
  const fields = readElements(readElements(whole.content)[0]?.content ?? new Uint8Array())
  // The version is there in all but the oldest.
  if (fields[0]?.tag === 0xa0) fields.shift()
  const [serial, , issuer, validity, subject, publicKey, ...others] = fields
  if (!serial || !issuer || !validity || !subject || !publicKey) throw new RangeError('it is not a certificate')
  const [notBefore, notAfter] = readElements(validity.content).map(readTime)
  if (!notBefore || !notAfter) throw new RangeError('it is not a certificate: it has no dates')
  const extensions = readExtensions(others)
  const inside = (type: string): Uint8Array | undefined => {
    const value = extensions.get(type)
    return value === undefined ? undefined : readElement(value).content
  }
  const [authority] = readElements(inside(OID.basicConstraints) ?? new Uint8Array())
  const keyUsage = inside(OID.keyUsage)
  const usages = inside(OID.extendedKeyUsage)
  const usageOids = usages === undefined ? undefined : readElements(usages).map(({ content }) => readOid(content))
  const keyIdentifier = inside(OID.subjectKeyIdentifier)
  return {
    bytes: whole.bytes,
    subject: readSubject(subject.content),
    subjectBytes: subject.bytes,
    issuerBytes: issuer.bytes,
    serial: serial.content,
    notBefore,
    notAfter,
    publicKey: publicKey.bytes,
    ca: authority?.tag === TAG.boolean && authority.content[0] !== 0,
    signsCertificates: keyUsage === undefined || ((keyUsage[1] ?? 0) & KEY_CERT_SIGN) !== 0,
    usages: usageOids?.includes(ANY_USAGE) ? undefined : usageOids,
    names: readNames(inside(OID.subjectAlternativeName) ?? new Uint8Array()),
    ...(keyIdentifier !== undefined && { keyIdentifier }),
  }
}

/** What is inside the octets of each extension of a certificate in DER, by object identifier. */
export function extensionsOf(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const [toBeSigned] = readElements(readElement(bytes).content)
  return readExtensions(readElements(toBeSigned?.content ?? new Uint8Array()))
}

function readExtensions(fields: readonly Element[]): Map<string, Uint8Array> {
  const list = readElements(fields.find(({ tag }) => tag === 0xa3)?.content ?? new Uint8Array())
  return new Map(
    list
      .flatMap(({ content }) => readElements(content))
      .map(({ content }) => {
        const [type, ...rest] = readElements(content)
        return [readOid(type?.content ?? new Uint8Array()), rest.at(-1)?.content ?? new Uint8Array()]
      }),
  )
}

function readSubject(content: Uint8Array): Subject {
  const attributes = readElements(content)
    .flatMap(set => readElements(set.content))
    .map(attribute => readElements(attribute.content))
    .map(([type, value]) => [readOid(type?.content ?? new Uint8Array()), text(value)] as const)
  const values = (wanted: string): string[] => attributes.filter(([type]) => type === wanted).map(([, value]) => value)
  return { commonName: values(OID.commonName).at(-1) ?? '', organizations: values(OID.organization) }
}

function text(element: Element | undefined): string {
  return Buffer.from(element?.content ?? []).toString('utf8')
}

function readNames(content: Uint8Array): AlternativeNames {
  const names = readElements(content)
  return {
    dnsNames: names.filter(({ tag }) => tag === 0x82).map(text),
    ipAddresses: names
      .filter(({ tag, content: bytes }) => tag === 0x87 && (bytes.length === 4 || bytes.length === 16))
      .map(({ content: bytes }) => addressText(bytes)),
  }
}

function addressText(bytes: Uint8Array): string {
  return formatAddress({ family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`) })
}

/** Whether `issuer` says so: names fit and the signature is of its key. Whether it may is another question. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!same(certificate.issuerBytes, issuer.subjectBytes)) return false
  try {
    const key = createPublicKey({ key: Buffer.from(issuer.publicKey), format: 'der', type: 'spki' })
    return new X509Certificate(certificate.bytes).verify(key)
  } catch {
    return false
  }
}

/** Whether two pieces of DER are the same. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
