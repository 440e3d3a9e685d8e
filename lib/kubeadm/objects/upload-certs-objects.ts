/** What upload-certs puts into the cluster: the CAs and the service account key, encrypted, for two hours. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { Read } from '../credentials/credential-store.ts'
import { tokenSecret } from './bootstrap-token-objects.ts'
import { BOOTSTRAP_GROUP, boundRole, group, reading, SYSTEM } from './rbac.ts'

/** Whether and how certificates go into the cluster. */
export interface CertificateUpload {
  /** The certificate key, which opens them: 64 hex digits. */
  readonly key: string
  /** A bootstrap token, `id.secret`, whose end takes the uploaded certificates along. */
  readonly token: string
}

export const CERTIFICATES_SECRET = 'kubeadm-certs'
const NAME = CERTIFICATES_SECRET

/** Source: kubeadm constants.go, DefaultCertTokenDuration. */
const LIFETIME = '2h0m0s'

/** AES-256 key, and the nonce that stands before each value. Source: kubeadm util/crypto/crypto.go (v1.36). */
const KEY_SIZE = 32
const NONCE_SIZE = 12
const TAG_SIZE = 16

/** Keys of the Secret, and where below the certificates' folder the files lie. */
const FILES: readonly string[] = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.key', 'sa.pub']
const ETCD_FILES: readonly string[] = ['etcd/ca.crt', 'etcd/ca.key']

/**
 * The token that limits their life, the Secret with the certificates, and who may read it.
 * A file that does not exist gives an empty entry. Throws a KubestepError when the certificate key is none.
 * Source: kubeadm phases/copycerts/copycerts.go (v1.36).
 */
export function uploadCertsObjects(config: InitConfig, upload: CertificateUpload, read: Read, now: Date): JsonObject[] {
  const owner = tokenSecret(
    { token: upload.token, description: `Proxy for managing TTL for the ${NAME} secret`, ttl: LIFETIME, usages: [] },
    now,
  )
  const data = Object.fromEntries(
    certificateFiles(config).map(([name, path]) => [name, encrypted(path === '' ? undefined : read(path), upload.key)]),
  )
  return [
    owner,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: NAME, namespace: SYSTEM, ownerReferences: [reference(owner)] },
      data,
    },
    ...boundRole(SYSTEM, `kubeadm:${NAME}`, reading('secrets', NAME), [group(BOOTSTRAP_GROUP)]),
  ]
}

/** Key in the Secret and path on the host of every file that joining control planes need. */
export function certificateFiles({ cluster }: Pick<InitConfig, 'cluster'>): (readonly [name: string, path: string])[] {
  const { certificatesDir, etcd } = cluster
  const below = (name: string): readonly [string, string] => [
    name.replaceAll('/', '-'),
    posix.join(certificatesDir, name),
  ]
  if (etcd.external === undefined) return [...FILES, ...ETCD_FILES].map(below)
  const { caFile, certFile, keyFile } = etcd.external
  return [
    ...FILES.map(below),
    ['external-etcd-ca.crt', caFile],
    ['external-etcd.crt', certFile],
    ['external-etcd.key', keyFile],
  ]
}

/** What of the Secret a node is to write, and what is wrong with it. */
export interface OpenedCertificates {
  readonly files: readonly FileEntry[]
  readonly faults: readonly string[]
}

/**
 * The files again, from the Secret's data. Only what the uploading node need not have either may be left out: the key of a
 * CA that is kept elsewhere, and files of an external etcd that are not configured.
 */
export function openCertificates(
  data: JsonObject,
  config: Pick<InitConfig, 'cluster'>,
  key: string,
): OpenedCertificates {
  const faults: string[] = []
  const files = certificateFiles(config).flatMap(([name, path]): FileEntry[] => {
    const value = data[name]
    const isThere = typeof value === 'string' && value !== ''
    if (path === '' || (!isThere && name.endsWith('ca.key'))) return []
    const text = isThere ? decrypt(Buffer.from(value, 'base64'), key) : undefined
    if (!isThere) faults.push(`"${name}" is not in it`)
    else if (text === undefined) faults.push(`"${name}" does not open with this key`)
    else if (!text.startsWith('-----BEGIN ')) faults.push(`"${name}" is not PEM`)
    return text === undefined ? [] : [{ path, mode: text.includes(' PRIVATE KEY-----') ? 0o600 : 0o644, content: text }]
  })
  // An external etcd may have one file for certificate and key.
  return { files: [...new Map(files.map(file => [file.path, file])).values()], faults }
}

/** A new certificate key: 64 hex digits. */
export function newCertificateKey(): string {
  return randomBytes(KEY_SIZE).toString('hex')
}

function encrypted(content: string | undefined, key: string): Json {
  return content === undefined ? null : Buffer.from(encrypt(content, key, randomBytes)).toString('base64')
}

/** Nonce, ciphertext and tag in a row. Throws a KubestepError that does not show the key when it is none. */
export function encrypt(text: string, key: string, random: (size: number) => Uint8Array): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(key)) {
    throw new KubestepError(
      'upload-certs: cannot use the certificate key: it is not 64 hex digits; make one with "openssl rand -hex 32"',
    )
  }
  const nonce = random(NONCE_SIZE)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'hex'), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** The text again; undefined when it was encrypted with another key, or is damaged. */
export function decrypt(data: Uint8Array, key: string): string | undefined {
  const [nonce, rest, tag] = [
    data.subarray(0, NONCE_SIZE),
    data.subarray(NONCE_SIZE, -TAG_SIZE),
    data.subarray(-TAG_SIZE),
  ]
  try {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), nonce).setAuthTag(tag)
    return Buffer.concat([decipher.update(rest), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

// In a real run the uid is known only once the API server has taken the token.
function reference(owner: JsonObject): JsonObject {
  const { name } = owner.metadata as { readonly name: string }
  return { apiVersion: 'v1', kind: 'Secret', name, uid: '', controller: true, blockOwnerDeletion: true }
}
