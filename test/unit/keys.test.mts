import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLocalJWKSet } from 'jose/jwks/local'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'
import { exportJWK } from 'jose/key/export'
import { importSPKI } from 'jose/key/import'
import type { EncryptionAlgorithm } from '../../lib/base/kubeadm.ts'
import {
  formatPrivateKey,
  formatPublicKey,
  generateKeys,
  KEY_ALGORITHMS,
  keyAlgorithm,
  type PrivateKey,
  parsePrivateKey,
  parsePublicKey,
  signatureOf,
} from '../../lib/kubeadm/credentials/keys.ts'
import { formatPem, parsePem } from '../../lib/kubeadm/credentials/pem.ts'

const EXPECTED: Readonly<Record<EncryptionAlgorithm, readonly [label: string, detail: number | string]>> = {
  'RSA-2048': ['RSA PRIVATE KEY', 2048],
  'RSA-3072': ['RSA PRIVATE KEY', 3072],
  'RSA-4096': ['RSA PRIVATE KEY', 4096],
  'ECDSA-P256': ['EC PRIVATE KEY', 'prime256v1'],
  'ECDSA-P384': ['EC PRIVATE KEY', 'secp384r1'],
}

const one = async (algorithm: EncryptionAlgorithm): Promise<PrivateKey> => {
  const [key] = await generateKeys(algorithm, 1)
  if (key === undefined) throw new Error('no key')
  return key
}

describe('keys', () => {
  for (const algorithm of Object.keys(KEY_ALGORITHMS) as EncryptionAlgorithm[]) {
    it(`generateKeys() makes ${algorithm} that reads back the same`, async () => {
      const key = await one(algorithm)
      const [label, detail] = EXPECTED[algorithm]
      const { modulusLength, namedCurve } = key.key.asymmetricKeyDetails ?? {}
      assert.equal(modulusLength ?? namedCurve, detail)
      const pem = formatPrivateKey(key)
      assert.equal(parsePem(pem)[0]?.label, label)
      assert.equal(formatPrivateKey(parsePrivateKey(pem)), pem)
      assert.deepEqual(Buffer.from(parsePrivateKey(pem).publicKey), Buffer.from(key.publicKey))
      assert.deepEqual(Buffer.from(parsePublicKey(formatPublicKey(key.publicKey))), Buffer.from(key.publicKey))
    })
  }

  for (const [algorithm, alg] of [
    ['RSA-2048', 'RS256'],
    ['ECDSA-P256', 'ES256'],
    ['ECDSA-P384', 'ES384'],
  ] as const) {
    it(`a token that sa.key of ${algorithm} has signed holds for whoever has the issuer's keys from sa.pub`, async () => {
      const key = await one(algorithm)
      const token = await new SignJWT({ sub: 'system:serviceaccount:default:default' })
        .setProtectedHeader({ alg })
        .sign(parsePrivateKey(formatPrivateKey(key)).key)
      const issuer = async (publicKey: Uint8Array): Promise<ReturnType<typeof createLocalJWKSet>> =>
        createLocalJWKSet({
          keys: [await exportJWK(await importSPKI(formatPublicKey(publicKey), alg, { extractable: true }))],
        })
      const { payload } = await jwtVerify(token, await issuer(key.publicKey))
      assert.equal(payload.sub, 'system:serviceaccount:default:default')
      await assert.rejects(jwtVerify(token, await issuer((await one(algorithm)).publicKey)))
    })
  }

  it('generateKeys() makes as many as asked for, all different', async () => {
    const keys = await generateKeys('ECDSA-P256', 20)
    assert.equal(new Set(keys.map(formatPrivateKey)).size, 20)
    assert.deepEqual(await generateKeys('RSA-2048', 0), [])
  })

  it('parsePrivateKey() reads PKCS#8, and what stands before a key', async () => {
    const key = await one('ECDSA-P256')
    const pkcs8 = formatPem('PRIVATE KEY', key.key.export({ type: 'pkcs8', format: 'der' }))
    const parameters = formatPem('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'))
    for (const pem of [pkcs8, `some words\n${parameters}${pkcs8}`, pkcs8.replaceAll('\n', '\r\n')]) {
      assert.deepEqual(Buffer.from(parsePrivateKey(pem).publicKey), Buffer.from(key.publicKey))
    }
  })

  const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const refused: readonly (readonly [what: string, pem: string, message: RegExp])[] = [
    ['an empty file', ' \n', /^it is empty$/],
    ['garbage', 'hello', /^it holds no PEM block$/],
    ['half a block', '-----BEGIN RSA PRIVATE KEY-----\nMIIE', /^its PEM block is cut off or has headers$/],
    [
      'bad base64',
      formatPem('RSA PRIVATE KEY', Buffer.from('x')).replace('eA==', 'e!=='),
      /^its RSA PRIVATE KEY block is not valid base64$/,
    ],
    [
      'bytes that are no key',
      formatPem('RSA PRIVATE KEY', Buffer.from('secret')),
      /^its RSA PRIVATE KEY block is damaged$/,
    ],
    ['a certificate', formatPem('CERTIFICATE', Buffer.from('x')), /^it holds no private key$/],
    ['an encrypted key', formatPem('ENCRYPTED PRIVATE KEY', Buffer.from('x')), /^it is encrypted/],
    [
      'an encrypted key of old',
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      /^it is encrypted/,
    ],
    ['Ed25519', ed25519, /^it is a key of type ed25519; only RSA and ECDSA can be used$/],
  ]
  for (const [what, pem, message] of refused) {
    it(`parsePrivateKey() refuses ${what}`, () =>
      assert.throws(() => parsePrivateKey(pem), { name: 'RangeError', message }))
  }

  it('parsePrivateKey() says nothing of what is in a damaged key', () => {
    const secret = Buffer.from('do not tell').toString('base64')
    assert.throws(
      () => parsePrivateKey(`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`),
      (error: Error) => !`${error.message}${error.stack}`.includes(secret) && error.cause === undefined,
    )
  })

  it('parsePublicKey() refuses a private key', async () => {
    const pem = formatPrivateKey(await one('ECDSA-P256'))
    assert.throws(() => parsePublicKey(pem), /it holds no public key/)
  })

  it('signatureOf() takes the hash that fits the curve', async () => {
    assert.equal(signatureOf(await one('ECDSA-P256')).hash, 'sha256')
    assert.equal(signatureOf(await one('ECDSA-P384')).hash, 'sha384')
    assert.equal(signatureOf(await one('RSA-2048')).hash, 'sha256')
  })

  for (const [gates, expected] of [
    [undefined, 'RSA-4096'],
    [{}, 'RSA-4096'],
    [{ PublicKeysECDSA: true }, 'ECDSA-P256'],
    [{ PublicKeysECDSA: false }, 'RSA-2048'],
  ] as const) {
    it(`keyAlgorithm() with gates ${JSON.stringify(gates)} is ${expected}`, () =>
      assert.equal(keyAlgorithm({ encryptionAlgorithm: 'RSA-4096', ...(gates && { featureGates: gates }) }), expected))
  }
})
