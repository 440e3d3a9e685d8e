/** Pins of a cluster's CA: hashes of public keys, by which a joining node knows it. */
import { createHash } from 'node:crypto'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { parseCertificates } from './certificate.ts'

const FORMAT = 'sha256'
const DIGEST_BYTES = 32

/** The pins in lower case. Throws a KubestepError that names every one that is none. Source: kubeadm util/pubkeypin (v1.36). */
export function parsePins(texts: readonly string[]): readonly string[] {
  const faults = texts.flatMap(text => {
    const reason = pinFault(text)
    return reason === undefined
      ? []
      : [`discovery: cannot use the CA hash "${text}": ${reason}; write it like "sha256:" and 64 hexadecimal digits`]
  })
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
  return texts.map(text => text.toLowerCase())
}

function pinFault(text: string): string | undefined {
  const [format = '', ...rest] = text.split(':')
  const hex = rest.join(':')
  if (rest.length === 0) return 'it has no format before a colon'
  if (format.toLowerCase() !== FORMAT) return `its format is "${format}" and not ${FORMAT}`
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) return 'it is not hexadecimal'
  return hex.length === DIGEST_BYTES * 2 ? undefined : `it has ${hex.length / 2} bytes and not ${DIGEST_BYTES}`
}

/** `sha256:` and the hash of the public key of each certificate. Throws a KubestepError. */
export function pinsOf(pem: string): readonly string[] {
  try {
    return parseCertificates(pem).map(
      ({ publicKey }) => `${FORMAT}:${createHash(FORMAT).update(publicKey).digest('hex')}`,
    )
  } catch (error) {
    throw new KubestepError(`discovery: cannot read the CA certificate: ${reasonOf(error)}; make it again`, {
      cause: error,
    })
  }
}
