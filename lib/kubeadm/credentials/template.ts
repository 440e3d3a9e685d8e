/** From rows of the certificate table to certificates. */
import { randomBytes } from 'node:crypto'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import type { AuthoritySpec, LeafSpec } from './certificates.ts'
import { authorityValidity, clientValidity, leafValidity, type Validity } from './validity.ts'
import type { AlternativeNames, CertificateTemplate, KeyIdentifierHash, Subject } from './x509.ts'

const NO_NAMES: AlternativeNames = { dnsNames: [], ipAddresses: [] }

// Source: client-go util/cert NewSelfSignedCACert: absent in 1.21.0, there in 1.22.4.
const AUTHORITY_HAS_NAME: Since<boolean> = { '1.18': false, '1.22': true }

// Source: kubeadm util/pkiutil NewSignedCert: absent in 1.20.2, there in 1.21.0.
const LEAF_HAS_CONSTRAINTS: Since<boolean> = { '1.18': false, '1.21': true }

// Go's crypto/x509 went over to SHA-256 with 1.25, which kubeadm is built with since 1.35. Kubeadm 1.18 was built with
// Go 1.13, which wrote none; strict verifiers want one, so it gets what kubeadm 1.18 gets from a later Go.
const KEY_IDENTIFIER_HASH: Since<KeyIdentifierHash> = { '1.18': 'sha1', '1.35': 'sha256' }

/** What every certificate of a release has. */
function common(config: InitConfig): Pick<CertificateTemplate, 'serial' | 'basicConstraints' | 'keyIdentifierHash'> {
  return {
    serial: randomSerial(),
    basicConstraints: valueSince(LEAF_HAS_CONSTRAINTS, config.kubeadm) ?? true,
    keyIdentifierHash: valueSince(KEY_IDENTIFIER_HASH, config.kubeadm) ?? 'sha256',
  }
}

/** A CA's certificate before it is signed. */
export function authorityTemplate(spec: AuthoritySpec, config: InitConfig, now: Date): CertificateTemplate {
  const { commonName } = spec
  const named = valueSince(AUTHORITY_HAS_NAME, config.kubeadm)
  return {
    ...common(config),
    ...authorityValidity(config, now),
    subject: { commonName, organizations: [] },
    names: named ? { dnsNames: [commonName], ipAddresses: [] } : NO_NAMES,
    usages: [],
    ca: true,
  }
}

/** Whom a leaf names and which names it is valid for. */
export function leafIdentity(spec: LeafSpec, config: InitConfig): { subject: Subject; names: AlternativeNames } {
  return {
    subject: {
      commonName: spec.commonName ?? config.init.nodeRegistration.name,
      organizations: valueSince(spec.organizations ?? {}, config.kubeadm) ?? [],
    },
    names: spec.names?.(config) ?? NO_NAMES,
  }
}

/** A leaf's certificate before it is signed; `authority` is the validity of its CA. */
export function leafTemplate(spec: LeafSpec, config: InitConfig, now: Date, authority: Validity): CertificateTemplate {
  return {
    ...common(config),
    ...leafIdentity(spec, config),
    ...leafValidity(config, now, authority),
    usages: spec.usages,
    ca: false,
  }
}

/** The client certificate of a kubeconfig before it is signed. */
export function clientTemplate(
  subject: Subject,
  config: InitConfig,
  now: Date,
  authority: Validity,
): CertificateTemplate {
  return {
    ...common(config),
    ...clientValidity(config, now, authority),
    subject,
    names: NO_NAMES,
    usages: ['clientAuth'],
    ca: false,
  }
}

/** A certificate in place of another one, before it is signed: whom it names and what for stays, the dates are new. */
export function renewedTemplate(
  { subject, names, usages }: Pick<CertificateTemplate, 'subject' | 'names' | 'usages'>,
  config: InitConfig,
  now: Date,
  authority: Validity,
): CertificateTemplate {
  return { ...common(config), ...leafValidity(config, now, authority), subject, names, usages, ca: false }
}

/**
 * A random positive number of at most 63 bits. Until 1.26 every CA had the serial number 0, which RFC 5280 forbids
 * and browsers trip over; that is not copied.
 */
function randomSerial(): Uint8Array {
  const bytes = randomBytes(8)
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return bytes.every(byte => byte === 0) ? randomSerial() : bytes
}
