/** Keyless signatures for tests: an authority as Fulcio is one, and certificates that live for ten minutes. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
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
} from '../lib/kubeadm/credentials/der.ts'
import { formatPem } from '../lib/kubeadm/credentials/pem.ts'
import { KUBERNETES_TRUST, type Trust } from '../lib/supply/fetch/fulcio.ts'

/** What a signature, or its certificate, may have of its own; all right when left out. */
export interface SignedBy {
  readonly identity: string
  readonly issuer: string
  /** Identifier of the extension that holds the issuer. */
  readonly issuerOid: string
  readonly usage: string
  readonly from: Date
  readonly ca: boolean
  /** The certificate is of another authority. */
  readonly stranger: boolean
  /** The certificate is for another key. */
  readonly otherKey: boolean
}

export interface Signed {
  /** Base64. */
  readonly signature: string
  /** PEM. */
  readonly certificate: string
}

export interface Chain {
  readonly trust: Trust
  readonly sign: (content: Uint8Array, by?: Partial<SignedBy>) => Signed
}

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** When certificates are issued if nothing else is asked for. */
export const ISSUED: Date = new Date('2024-06-01T12:00:00Z')
export const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1'
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8'
const ECDSA = '1.2.840.10045.4.3.2'

/** Makes an authority of its own; what it signs is as Kubernetes' releases are signed. */
export function makeChain(): Chain {
  const [rootKey, middleKey, strangerKey] = [pair(), pair(), pair()]
  const years = {
    from: new Date('2022-04-13T00:00:00Z'),
    to: new Date('2031-10-05T00:00:00Z'),
    extensions: [authority()],
  }
  const root = certificate({ subject: 'root', issuer: 'root', key: rootKey, signer: rootKey, ...years })
  const middle = certificate({ subject: 'middle', issuer: 'root', key: middleKey, signer: rootKey, ...years })
  const { signer } = KUBERNETES_TRUST
  return {
    trust: { authority: { root, intermediates: [middle] }, signer },
    sign: (content, by = {}) => {
      const key = pair()
      const { identity = signer.identity, issuer = signer.issuer, issuerOid = ISSUER_V2, from = ISSUED } = by
      const text = Buffer.from(issuer)
      const leaf = certificate({
        subject: '',
        issuer: 'middle',
        key: by.otherKey ? pair() : key,
        signer: by.stranger ? strangerKey : middleKey,
        from,
        to: new Date(from.getTime() + 600_000),
        extensions: [
          extension('2.5.29.37', sequence(oid(by.usage ?? '1.3.6.1.5.5.7.3.3'))),
          extension('2.5.29.17', sequence(context(1, 'primitive', Buffer.from(identity)))),
          extension(issuerOid, issuerOid === ISSUER_V2 ? element(TAG.utf8String, text) : text),
          ...(by.ca ? [authority()] : []),
        ],
      })
      return { signature: signed(content, key).toString('base64'), certificate: leaf }
    },
  }
}

function pair(): Pair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function signed(bytes: Uint8Array, { privateKey }: Pair): Buffer {
  return createSign('SHA256').update(bytes).sign(privateKey)
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
  const algorithm = sequence(oid(ECDSA))
  const body = sequence(
    context(0, 'constructed', integer(Uint8Array.of(2))),
    integer(Uint8Array.of(7)),
    algorithm,
    name(issuer),
    sequence(time(from), time(to)),
    name(subject),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, 'constructed', sequence(...extensions)),
  )
  return formatPem('CERTIFICATE', sequence(body, algorithm, bitString(signed(body, signer))))
}

function name(text: string): Uint8Array {
  if (text === '') return sequence()
  return sequence(setOf(sequence(oid('2.5.4.3'), element(TAG.utf8String, Buffer.from(text)))))
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(oid(id), octetString(value))
}

function authority(): Uint8Array {
  return extension('2.5.29.19', sequence(boolean(true)))
}
