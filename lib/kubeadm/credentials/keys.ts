/**
 * Private keys: generate, read, write, sign. Formats are kubeadm's, PKCS#1 for RSA and SEC 1 for ECDSA: node:crypto has
 * both, jose and WebCrypto have neither.
 */
import { createPrivateKey, createPublicKey, KeyObject, sign, webcrypto } from 'node:crypto'
import type { ClusterConfiguration, EncryptionAlgorithm } from '../../base/kubeadm.ts'
import { formatPem, parsePem } from './pem.ts'

export interface PrivateKey {
  readonly key: KeyObject
  /** DER of the SubjectPublicKeyInfo; two keys are the same when these bytes are. */
  readonly publicKey: Uint8Array
}

type KeyParameters = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams

/** Source: kubeadm apis/kubeadm/v1beta4 EncryptionAlgorithmType (v1.36). */
export const KEY_ALGORITHMS: Readonly<Record<EncryptionAlgorithm, KeyParameters>> = {
  'RSA-2048': rsa(2048),
  'RSA-3072': rsa(3072),
  'RSA-4096': rsa(4096),
  'ECDSA-P256': { name: 'ECDSA', namedCurve: 'P-256' },
  'ECDSA-P384': { name: 'ECDSA', namedCurve: 'P-384' },
}

function rsa(modulusLength: number): KeyParameters {
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: Uint8Array.of(1, 0, 1) }
}

/**
 * The algorithm of every key that a configuration makes: the feature gate of older releases wins over the field.
 * Source: kubeadm apis/kubeadm ClusterConfiguration.EncryptionAlgorithmType (v1.36). Until 1.30 kubeadm forgot the
 * gate for the keys inside kubeconfigs (kubernetes PR 125388); here it holds for them too.
 */
export function keyAlgorithm(
  cluster: Pick<ClusterConfiguration, 'encryptionAlgorithm' | 'featureGates'>,
): EncryptionAlgorithm {
  const gate = cluster.featureGates?.PublicKeysECDSA
  if (gate === undefined) return cluster.encryptionAlgorithm
  return gate ? 'ECDSA-P256' : 'RSA-2048'
}

/** Generates `count` keys at once: the work is done on the threads of the runtime, so all cores take part. */
export function generateKeys(algorithm: EncryptionAlgorithm, count: number): Promise<PrivateKey[]> {
  return onAllCores(() => Promise.all(Array.from({ length: count }, () => generateKey(algorithm))))
}

/**
 * Node has four threads for such work unless it is told otherwise before the first of them starts, which in Node 20
 * is before our first line, so there (it has no `navigator`) nothing is tried. Child processes are not to inherit it.
 */
function onAllCores<T>(start: () => T): T {
  const { navigator } = globalThis as { navigator?: { readonly hardwareConcurrency?: number } }
  const cores = navigator?.hardwareConcurrency ?? 1
  if (cores <= 4 || process.env.UV_THREADPOOL_SIZE !== undefined) return start()
  process.env.UV_THREADPOOL_SIZE = String(cores)
  try {
    return start()
  } finally {
    delete process.env.UV_THREADPOOL_SIZE
  }
}

async function generateKey(algorithm: EncryptionAlgorithm): Promise<PrivateKey> {
  const made = await webcrypto.subtle.generateKey(KEY_ALGORITHMS[algorithm], true, ['sign', 'verify'])
  const publicKey = KeyObject.from(made.publicKey).export({ type: 'spki', format: 'der' })
  return { key: KeyObject.from(made.privateKey), publicKey }
}

function withPublicKey(key: KeyObject): PrivateKey {
  return { key, publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }) }
}

/** `RSA PRIVATE KEY` (PKCS#1) or `EC PRIVATE KEY` (SEC 1, with the curve), as kubeadm writes them. */
export function formatPrivateKey({ key }: PrivateKey): string {
  return key.asymmetricKeyType === 'rsa'
    ? formatPem('RSA PRIVATE KEY', key.export({ type: 'pkcs1', format: 'der' }))
    : formatPem('EC PRIVATE KEY', key.export({ type: 'sec1', format: 'der' }))
}

/** `PUBLIC KEY`: the SubjectPublicKeyInfo, as in sa.pub. */
export function formatPublicKey(publicKey: Uint8Array): string {
  return formatPem('PUBLIC KEY', publicKey)
}

const PRIVATE_LABELS: Readonly<Record<string, 'pkcs1' | 'sec1' | 'pkcs8'>> = {
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
  'PRIVATE KEY': 'pkcs8',
}

/**
 * Reads the first private key of a PEM text: PKCS#1, SEC 1 or PKCS#8. Other blocks (`EC PARAMETERS`) are skipped.
 * Throws a RangeError that says what is wrong, and never what is in it.
 */
export function parsePrivateKey(pem: string): PrivateKey {
  if (/BEGIN ENCRYPTED|: 4,ENCRYPTED/.test(pem))
    throw new RangeError('it is encrypted, and nobody is there to give the passphrase')
  for (const { label, bytes } of parsePem(pem)) {
    const type = PRIVATE_LABELS[label]
    if (type === undefined) continue
    let key: KeyObject
    try {
      key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type })
    } catch {
      // What the library says may quote the key.
      throw new RangeError(`its ${label} block is damaged`)
    }
    if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec') {
      throw new RangeError(`it is a key of type ${key.asymmetricKeyType}; only RSA and ECDSA can be used`)
    }
    return withPublicKey(key)
  }
  throw new RangeError('it holds no private key')
}

/** Reads the first public key of a PEM text; gives the SubjectPublicKeyInfo. Throws a RangeError that says what is wrong. */
export function parsePublicKey(pem: string): Uint8Array {
  const block = parsePem(pem).find(({ label }) => label === 'PUBLIC KEY')
  if (block === undefined) throw new RangeError('it holds no public key')
  try {
    const key = createPublicKey({ key: Buffer.from(block.bytes), format: 'der', type: 'spki' })
    return key.export({ type: 'spki', format: 'der' })
  } catch {
    throw new RangeError('its PUBLIC KEY block is damaged')
  }
}

// Go picks the hash by the size of the curve. Source: Go crypto/x509 signingParamsForKey.
const CURVE_SIGNATURES: Readonly<Record<string, readonly [algorithm: string, hash: string]>> = {
  prime256v1: ['1.2.840.10045.4.3.2', 'sha256'],
  secp384r1: ['1.2.840.10045.4.3.3', 'sha384'],
  secp521r1: ['1.2.840.10045.4.3.4', 'sha512'],
}

/** The signature algorithm that a key signs certificates with, as Go chooses it. Throws a RangeError for odd curves. */
export function signatureOf({ key }: PrivateKey): { readonly algorithm: string; readonly hash: string } {
  if (key.asymmetricKeyType === 'rsa') return { algorithm: '1.2.840.113549.1.1.11', hash: 'sha256' }
  const curve = key.asymmetricKeyDetails?.namedCurve ?? ''
  const found = CURVE_SIGNATURES[curve]
  if (found === undefined) throw new RangeError(`it is on the curve ${curve}; P-256, P-384 and P-521 can be used`)
  return { algorithm: found[0], hash: found[1] }
}

/** Signs `data`: PKCS#1 v1.5 with SHA-256 for RSA, DER-encoded ECDSA otherwise. */
export function signWith(key: PrivateKey, data: Uint8Array): Uint8Array {
  return sign(signatureOf(key).hash, data, key.key)
}
