import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FULCIO, KUBERNETES_TRUST } from '../../lib/supply/fetch/fulcio.ts'
import { readCertificateText, readSignature, signatureFault } from '../../lib/supply/fetch/signature.ts'
import { ISSUED, ISSUER_V1, makeChain, type SignedBy } from '../keyless.ts'

const DAY = 86_400_000
const NOW = new Date(ISSUED.getTime() + 14 * DAY)
const CONTENT = Buffer.alloc(300_000, 'kubelet')
const { trust, sign } = makeChain()

async function faultOf(signature: string, certificate: string, by = trust): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep signature '))
  const file = join(folder, 'kubelet')
  writeFileSync(file, CONTENT)
  try {
    return await signatureFault(file, { signature, certificate }, by, NOW)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('signatureFault()', () => {
  const evil = 'krel-staging@k8s-releng-prod.iam.gserviceaccount.com.evil.example'
  const github = 'https://token.actions.githubusercontent.com'
  const rows: readonly (readonly [what: string, by: Partial<SignedBy>, fault: RegExp | undefined])[] = [
    ['what is signed as it should be', {}, undefined],
    ['an older certificate, with the issuer as bare text', { issuerOid: ISSUER_V1 }, undefined],
    ['another key', { otherKey: true }, /not over this file, or by another key/],
    ['a certificate from somebody else', { stranger: true }, /does not come from Fulcio/],
    ['another account', { identity: evil }, /it was signed by email:.*evil\.example, not by krel-staging@/],
    ['another issuer', { issuer: github }, /githubusercontent\.com vouched for its signer, not https:\/\/accounts/],
    ['no issuer', { issuerOid: '1.2.3.4' }, /nobody vouched for its signer/],
    ['a certificate for servers', { usage: '1.3.6.1.5.5.7.3.1' }, /not for signing code/],
    ['an authority', { ca: true }, /is that of an authority/],
    ['a certificate from before its authority', { from: new Date('2022-01-01T00:00:00Z') }, /authority was not valid/],
    ['a certificate from the future', { from: new Date(NOW.getTime() + DAY) }, /in the future; check the clock/],
  ]
  for (const [what, by, fault] of rows) {
    test(`of ${what}`, async () => {
      const { signature, certificate } = sign(CONTENT, by)
      const found = await faultOf(signature, certificate)
      if (fault === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', fault)
    })
  }

  test('of another file, and of what is no signature', async () => {
    const { signature, certificate } = sign(CONTENT.subarray(1))
    assert.match((await faultOf(signature, certificate)) ?? '', /not over this file/)
    assert.match((await faultOf(Buffer.alloc(70).toString('base64'), certificate)) ?? '', /not over this file/)
  })

  test('of what is no certificate, and of the root itself', async () => {
    const { signature } = sign(CONTENT)
    const none = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    assert.match((await faultOf(signature, none)) ?? '', /cannot be read/)
    assert.match((await faultOf(signature, trust.authority.root)) ?? '', /is that of an authority/)
  })

  test('of a chain that is right, and not Fulcio’s', async () => {
    const { signature, certificate } = sign(CONTENT)
    assert.match((await faultOf(signature, certificate, KUBERNETES_TRUST)) ?? '', /does not come from Fulcio/)
  })
})

test('FULCIO is the authority that Sigstore publishes, and its intermediate comes from its root', () => {
  const [middle = ''] = FULCIO.intermediates
  const [top, below] = [new X509Certificate(FULCIO.root), new X509Certificate(middle)]
  const sum = (one: X509Certificate): string => createHash('sha256').update(one.raw).digest('hex')
  assert.equal(sum(top), '3ba7b6cc4e95469d4d334b49cb257ad8537076fa84b0ca87ff4ecfe6a54680c1')
  assert.equal(sum(below), '15d795348226b4649f750f5802592c393bee7cc53c3b86982175b7ad087efe47')
  assert.ok(top.ca && below.ca && top.verify(top.publicKey) && below.verify(top.publicKey))
})

test('readCertificateText() takes PEM, and PEM in base64 as cosign writes it, and nothing else', () => {
  const pem = trust.authority.root.trim()
  assert.equal(readCertificateText(`${pem}\n`), pem)
  assert.equal(readCertificateText(`${Buffer.from(`${pem}\n`).toString('base64')}\n`)?.trim(), pem)
  for (const text of ['', '<html>', Buffer.from('<html>').toString('base64')]) {
    assert.equal(readCertificateText(text), undefined)
  }
})

test('readSignature() takes base64 of the length of a signature', () => {
  const text = Buffer.alloc(71).toString('base64')
  assert.equal(readSignature(`${text}\n`), text)
  for (const other of ['', 'AAAA', '<html><body>Sign in to the network of the hotel, please</body></html>']) {
    assert.equal(readSignature(other), undefined)
  }
})
