import assert from 'node:assert/strict'
import { createHash, createSign, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FULCIO, KUBERNETES_TRUST, type Trust } from '../../lib/components/fulcio.ts'
import { readCertificateText, readSignature, signatureFault } from '../../lib/components/signature.ts'
import {
  bitString,
  boolean,
  context,
  element,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
} from '../../lib/pki/der.ts'
import { formatPem } from '../../lib/pki/pem.ts'

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const pair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const name = (text: string): Uint8Array =>
  text === '' ? sequence() : sequence(setOf(sequence(oid('2.5.4.3'), element(TAG.utf8String, Buffer.from(text)))))
const sign = (bytes: Uint8Array, key: KeyObject): Uint8Array => createSign('SHA256').update(bytes).sign(key)
const ECDSA = sequence(oid('1.2.840.10045.4.3.2'))

const DAY = 86_400_000
const NOW = new Date('2026-06-15T12:00:00Z')
const SIGNED = new Date('2026-06-01T12:00:00Z')

interface Leaf {
  readonly email?: string
  readonly issuer?: string
  readonly issuerOid?: string
  readonly usage?: string
  readonly from?: Date
  readonly ca?: boolean
}

interface Made {
  readonly subject: string
  readonly issuer: string
  readonly key: Pair
  readonly signer: Pair
  readonly from: Date
  readonly to: Date
  readonly extensions: readonly Uint8Array[]
}

function certificate({ subject, issuer, key, signer, from, to, extensions }: Made): string {
  const body = sequence(
    context(0, 'constructed', integer(Uint8Array.of(2))),
    integer(Uint8Array.of(7)),
    ECDSA,
    name(issuer),
    sequence(time(from), time(to)),
    name(subject),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, 'constructed', sequence(...extensions)),
  )
  const der = sequence(body, ECDSA, bitString(sign(body, signer.privateKey)))
  return formatPem('CERTIFICATE', der)
}

const extension = (id: string, value: Uint8Array): Uint8Array => sequence(oid(id), octetString(value))
const CA = extension('2.5.29.19', sequence(boolean(true)))

const [rootKey, middleKey, strangerKey] = [pair(), pair(), pair()]
const authorityDates = { from: new Date('2022-04-13T00:00:00Z'), to: new Date('2031-10-05T00:00:00Z') }
const root = certificate({
  subject: 'root',
  issuer: 'root',
  key: rootKey,
  signer: rootKey,
  ...authorityDates,
  extensions: [CA],
})
const intermediate = certificate({
  subject: 'middle',
  issuer: 'root',
  key: middleKey,
  signer: rootKey,
  ...authorityDates,
  extensions: [CA],
})
const { signer } = KUBERNETES_TRUST
const TRUST: Trust = { authority: { root, intermediates: [intermediate] }, signer }

const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8'
const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1'

function leaf(key: Pair, wanted: Leaf = {}, by: Pair = middleKey): string {
  const { email = signer.identity, issuer = signer.issuer, issuerOid = ISSUER_V2, from = SIGNED } = wanted
  const text = Buffer.from(issuer)
  return certificate({
    subject: '',
    issuer: 'middle',
    key,
    signer: by,
    from,
    to: new Date(from.getTime() + 600_000),
    extensions: [
      extension('2.5.29.37', sequence(oid(wanted.usage ?? '1.3.6.1.5.5.7.3.3'))),
      extension('2.5.29.17', sequence(context(1, 'primitive', Buffer.from(email)))),
      extension(issuerOid, issuerOid === ISSUER_V2 ? element(TAG.utf8String, text) : text),
      ...(wanted.ca ? [CA] : []),
    ],
  })
}

const CONTENT = Buffer.alloc(300_000, 'kubelet')

describe('signatureFault()', () => {
  const key = pair()
  const good = Buffer.from(sign(CONTENT, key.privateKey)).toString('base64')
  const rows: readonly (readonly [what: string, certificate: string, signature: string, fault: RegExp | undefined])[] =
    [
      ['what is signed as it should be', leaf(key), good, undefined],
      ['an older certificate, with the issuer as bare text', leaf(key, { issuerOid: ISSUER_V1 }), good, undefined],
      [
        'another file',
        leaf(key),
        Buffer.from(sign(CONTENT.subarray(1), key.privateKey)).toString('base64'),
        /not over this file/,
      ],
      ['another key', leaf(pair()), good, /not over this file, or by another key/],
      ['no signature at all', leaf(key), Buffer.from('x'.repeat(70)).toString('base64'), /not over this file/],
      ['a certificate from somebody else', leaf(key, {}, strangerKey), good, /does not come from Fulcio/],
      ['a certificate of itself', root, good, /is that of an authority/],
      [
        'another account',
        leaf(key, { email: 'krel-staging@k8s-releng-prod.iam.gserviceaccount.com.evil.example' }),
        good,
        /it was signed by email:.*evil\.example, not by krel-staging@/,
      ],
      [
        'another issuer',
        leaf(key, { issuer: 'https://token.actions.githubusercontent.com' }),
        good,
        /token\.actions\.githubusercontent\.com vouched for its signer, not https:\/\/accounts\.google\.com/,
      ],
      ['no issuer', leaf(key, { issuerOid: '1.2.3.4' }), good, /nobody vouched for its signer/],
      ['a certificate for servers', leaf(key, { usage: '1.3.6.1.5.5.7.3.1' }), good, /not for signing code/],
      ['an authority', leaf(key, { ca: true }), good, /is that of an authority/],
      [
        'a certificate from before its authority',
        leaf(key, { from: new Date('2022-01-01T00:00:00Z') }),
        good,
        /when its authority was not valid/,
      ],
      [
        'a certificate from the future',
        leaf(key, { from: new Date(NOW.getTime() + DAY) }),
        good,
        /in the future; check the clock/,
      ],
      ['no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', good, /cannot be read/],
    ]
  for (const [what, pem, signature, fault] of rows) {
    test(`of ${what}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kubestep signature '))
      const file = join(folder, 'kubelet')
      writeFileSync(file, CONTENT)
      const found = await signatureFault(file, { signature, certificate: pem }, TRUST, NOW)
      if (fault === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', fault)
      rmSync(folder, { recursive: true })
    })
  }

  test('of a chain that is right, and not Fulcio’s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubestep signature '))
    const file = join(folder, 'kubelet')
    writeFileSync(file, CONTENT)
    const found = await signatureFault(file, { signature: good, certificate: leaf(key) }, KUBERNETES_TRUST, NOW)
    assert.match(found ?? '', /does not come from Fulcio/)
    rmSync(folder, { recursive: true })
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
  const pem = root.trim()
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
