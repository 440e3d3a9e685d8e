import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  bitString,
  boolean,
  context,
  directoryString,
  element,
  integer,
  nothing,
  octetString,
  oid,
  readElement,
  readElements,
  readOid,
  readTime,
  sequence,
  setOf,
  TAG,
  time,
} from '../../lib/kubeadm/credentials/der.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Buffer.from(text, 'hex')

describe('der', () => {
  const written: readonly (readonly [what: string, made: Uint8Array, expected: string])[] = [
    ['integer() writes zero as one byte', integer(Uint8Array.of(0)), '020100'],
    ['integer() drops leading zeros', integer(bytes('000001')), '020101'],
    ['integer() keeps the sign positive', integer(bytes('80')), '02020080'],
    ['integer() of nothing is zero', integer(new Uint8Array()), '020100'],
    ['boolean() writes true as ff', boolean(true), '0101ff'],
    ['nothing() is NULL', nothing(), '0500'],
    ['bitString() counts unused bits', bitString(Uint8Array.of(0xa4), 2), '030202a4'],
    ['octetString() wraps', octetString(Uint8Array.of(1)), '040101'],
    ['oid() of RSA with SHA-256', oid('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
    ['oid() of commonName', oid('2.5.4.3'), '0603550403'],
    ['context() primitive', context(2, 'primitive', bytes('61')), '820161'],
    ['context() constructed', context(3, 'constructed', nothing()), 'a3020500'],
    ['setOf() sorts', setOf(bytes('020102'), bytes('020101')), '3106020101020102'],
    ['sequence() keeps the order', sequence(bytes('020102'), bytes('020101')), '3006020102020101'],
    [
      'directoryString() prefers PrintableString',
      directoryString("system:node:n1 '()+,-./:=?"),
      `131a${hex(Buffer.from("system:node:n1 '()+,-./:=?"))}`,
    ],
    ['directoryString() takes UTF-8 for an underscore', directoryString('a_b'), '0c03615f62'],
    ['directoryString() takes UTF-8 for an asterisk', directoryString('*'), '0c012a'],
    ['directoryString() takes UTF-8 for an ampersand', directoryString('&'), '0c0126'],
    ['directoryString() takes UTF-8 for an umlaut', directoryString('ü'), '0c02c3bc'],
    [
      'time() writes UTCTime until 2049',
      time(new Date('2049-12-31T23:59:59Z')),
      `170d${hex(Buffer.from('491231235959Z'))}`,
    ],
    [
      'time() writes GeneralizedTime from 2050',
      time(new Date('2050-01-01T00:00:00Z')),
      `180f${hex(Buffer.from('20500101000000Z'))}`,
    ],
    [
      'time() writes GeneralizedTime before 1950',
      time(new Date('1949-12-31T23:59:59Z')),
      `180f${hex(Buffer.from('19491231235959Z'))}`,
    ],
    [
      'time() cuts milliseconds off',
      time(new Date('2026-11-23T14:20:00.999Z')),
      `170d${hex(Buffer.from('261123142000Z'))}`,
    ],
  ]
  for (const [what, made, expected] of written) it(what, () => assert.equal(hex(made), expected))

  for (const [length, header] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65536, '0483010000'],
  ] as const) {
    it(`element() writes a length of ${length} and readElement() reads it`, () => {
      const made = element(TAG.octetString, new Uint8Array(length))
      assert.equal(hex(made.subarray(0, made.length - length)), header)
      const read = readElement(Buffer.concat([made, Uint8Array.of(9)]))
      assert.equal(read.content.length, length)
      assert.equal(read.bytes.length, made.length)
    })
  }

  for (const dotted of ['1.2.840.113549.1.1.11', '2.5.29.17', '1.3.6.1.5.5.7.3.1', '2.999.3', '0.9.2342']) {
    it(`readOid() reads what oid() wrote: ${dotted}`, () =>
      assert.equal(readOid(readElement(oid(dotted)).content), dotted))
  }

  for (const date of [
    '1950-01-01T00:00:00Z',
    '1999-12-31T23:59:59Z',
    '2049-12-31T23:59:59Z',
    '2050-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ]) {
    it(`readTime() reads what time() wrote: ${date}`, () =>
      assert.equal(readTime(readElement(time(new Date(date)))).toISOString(), date.replace('Z', '.000Z')))
  }

  it('readElements() reads all', () =>
    assert.deepEqual(
      readElements(bytes('0201010500')).map(({ tag }) => tag),
      [TAG.integer, TAG.null],
    ))

  for (const [what, text, message] of [
    ['nothing at all', '', /ends in the middle/],
    ['a tag without a length', '30', /ends in the middle/],
    ['content that is cut off', '300501', /ends in the middle/],
    ['a length that is cut off', '3082ff', /ends in the middle/],
    ['an indefinite length', '3080', /unknown length/],
    ['a length of five bytes', '30850000000001', /unknown length/],
  ] as const) {
    it(`readElement() refuses ${what}`, () =>
      assert.throws(() => readElement(bytes(text)), { name: 'RangeError', message }))
  }

  it('readTime() refuses a date without Z', () =>
    assert.throws(() => readTime(readElement(element(TAG.utcTime, Buffer.from('261123142000')))), /no DER time/))

  it('readElement() survives any garbage with a RangeError', () => {
    // A small generator with a fixed seed, so that a failure can be repeated.
    let state = 1
    const random = (): number => {
      state = (state * 48271) % 2147483647
      return state % 256
    }
    for (let round = 0; round < 500; round++) {
      const garbage = Uint8Array.from({ length: random() }, random)
      try {
        readElements(garbage)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }
  })
})
