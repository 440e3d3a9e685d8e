import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Json } from '../../lib/base/json.ts'
import { formatPath, parse, parseAll, parseDocuments, stringify } from '../../lib/base/yaml.ts'

/** Values and texts of our own, with what Go's sigs.k8s.io/yaml (as in Kubernetes 1.36) made of them. */
interface Corpus {
  readonly write: readonly { readonly value: Json; readonly yaml: string }[]
  readonly read: readonly {
    readonly text: string
    readonly value?: Json
    readonly error?: string
    readonly strict?: string
  }[]
}
const corpus: Corpus = JSON.parse(readFileSync(new URL('../data/yaml-corpus.json', import.meta.url), 'utf8'))

/** Where we read what Go refuses: harmless, or plainly better for JSON. */
const READ_ANYWAY: ReadonlyMap<string, string> = new Map([
  ['...\n', 'an end mark without a document is an empty document'],
  ['... # c\n', 'an end mark without a document is an empty document'],
  ['a: "x\\ty\\x41\\u00e9\\U0001F600\\e\\0\\a\\_\\N\\L\\P\\/"\n', 'JSON may write a slash as \\/'],
  ['{"a" : "x\\u0041\\/y"}\n', 'JSON may write a slash as \\/'],
  ['"\\ud83d\\ude00"\n', 'JSON writes characters beyond 16 bits as two'],
  ['"\\ud83d"\n', 'half a character does no harm'],
  ['a: |\n  \tx\n', 'tabs where they indent nothing'],
  ['-\ta\n', 'tabs where they indent nothing'],
  ['- \ta\n', 'tabs where they indent nothing'],
  ['\t\n', 'tabs where they indent nothing'],
  [' \t\n', 'tabs where they indent nothing'],
  ['a: 1\n\t\nb: 2\n', 'tabs where they indent nothing'],
  ['\t# c\na: 1\n', 'tabs where they indent nothing'],
  ['?\ta\n:\tb\n', 'tabs where they indent nothing'],
  ['[:a]\n', 'colons and question marks inside brackets, as in YAML 1.2'],
  ['[::1]\n', 'colons and question marks inside brackets, as in YAML 1.2'],
  ['[a?b]\n', 'colons and question marks inside brackets, as in YAML 1.2'],
  ['[a ? b]\n', 'colons and question marks inside brackets, as in YAML 1.2'],
  ['{a: ?b}\n', 'colons and question marks inside brackets, as in YAML 1.2'],
  ['{a\n b: 1}\n', 'keys of several lines inside brackets'],
  ['{"a\n b": 1}\n', 'keys of several lines inside brackets'],
  ['{"a"\n:1}\n', 'keys of several lines inside brackets'],
  [`{${'x'.repeat(1030)}: 1}\n`, 'long keys inside brackets'],
  ['18446744073709551615: a\n', 'a number of more than 63 bits as key'],
])

/** Where we refuse what Go reads: it drops text without a word there, or the library asks for more indentation. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['{a: 1} b\n', 'Go drops the rest'],
  ['[a]\n[b]\n', 'Go drops the rest'],
  ['"a":1\n', 'Go drops the rest'],
  ['"a"\n: 1\n', 'Go drops the rest'],
  ['a\n: 1\n', 'Go drops the rest'],
  [' a: 1\nb: 2\n', 'Go drops the rest'],
  ['a: "b"#c\n', 'a comment needs a space before it'],
  ['[-]\n', 'a lone dash inside brackets'],
  ['a: "b\nc"\n', 'indentation'],
  ['a: [\n\t1]\n', 'indentation'],
  ['a: {\n\tb: 1\n}\n', 'indentation'],
  ['a: [\n1,\n2\n]\nb: 1\n', 'indentation'],
])

/** Where we refuse keys that are not the same to YAML, but to JSON. */
const SAME_KEYS: readonly string[] = ['1: a\n"1": b\n', '1: a\n1.0: b\n']

/** Where both read, but not the same. */
const READ_DIFFERENTLY: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['{a:}\n', { a: null }],
  ['{a:,b: 1}\n', { a: null, b: 1 }],
  ['[a:]\n', [{ a: null }]],
  ['[?a]\n', ['?a']],
])

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)

describe('stringify()', () => {
  test(`writes ${corpus.write.length} values as Go does`, () => {
    for (const { value, yaml } of corpus.write) {
      assert.equal(stringify(value), yaml)
    }
  })

  test('writes nothing for members that are undefined', () => {
    assert.equal(stringify({ b: undefined, a: { c: undefined } }), 'a: {}\n')
    assert.equal(stringify([undefined, Number.NaN]), '- null\n- null\n')
    assert.equal(stringify({ at: new Date(0) }), 'at: "1970-01-01T00:00:00.000Z"\n')
  })

  test('does not sort a frozen value in place, and replaces halves of characters', () => {
    assert.equal(stringify(Object.freeze({ b: 1, a: Object.freeze(['\ud83d']) })), 'a:\n- \ufffd\nb: 1\n')
  })
})

describe('parse()', () => {
  for (const { text, value, error, strict } of corpus.read) {
    if (
      SAME_KEYS.includes(text) ||
      READ_ANYWAY.has(text) ||
      REFUSED.has(text) ||
      READ_DIFFERENTLY.has(text) ||
      /^---.|\n---/.test(text)
    ) {
      continue
    }
    const isRefused = error !== undefined || (strict !== undefined && !text.includes('<<'))
    test(`${isRefused ? 'refuses' : 'reads'} ${shown(text)} as Go does`, () => {
      if (isRefused) {
        assert.throws(() => parse(text), { name: 'KubestepError', message: /^yaml: cannot read line \d+: / })
      } else {
        assert.deepEqual(JSON.parse(JSON.stringify(parse(text))), value)
      }
    })
  }

  for (const [text, why] of READ_ANYWAY) {
    test(`reads ${shown(text)}, which Go does not: ${why}`, () => {
      assert.doesNotThrow(() => parse(text))
    })
  }

  for (const [text, why] of REFUSED) {
    test(`refuses ${shown(text)}, which Go does not: ${why}`, () => {
      assert.throws(() => parse(text), { name: 'KubestepError' })
    })
  }

  for (const text of SAME_KEYS) {
    test(`refuses ${shown(text)}: the keys are the same to JSON`, () => {
      assert.throws(() => parse(text), { message: /set twice/ })
    })
  }

  for (const [text, value] of READ_DIFFERENTLY) {
    test(`reads ${shown(text)} as YAML 1.2 does`, () => {
      assert.deepEqual(parse(text), value)
    })
  }

  test('reads back what stringify() wrote', () => {
    for (const { value, yaml } of corpus.write) {
      // Go itself leaves a key "<<" unquoted, and reads other line breaks than it wrote.
      if (!/[\u0085\u2028\u2029]|"<<":/.test(JSON.stringify(value))) {
        assert.deepEqual(JSON.parse(JSON.stringify(parse(yaml))), JSON.parse(JSON.stringify(value)), yaml)
      }
    }
  })

  test('refuses more than one document and gives every key that is set twice', () => {
    assert.throws(() => parse('a: 1\n---\nb: 2\n'), { message: /holds 2 documents/ })
    assert.throws(() => parse('a: 1\na: 2\nb:\n- c: 1\n  c: 2\n'), {
      message:
        'yaml: cannot read line 2: a: it is set twice, first in line 1; keep one\n' +
        'yaml: cannot read line 5: b[0].c: it is set twice, first in line 4; keep one',
    })
    assert.deepEqual(parse('a: 1\na: 2\n', { allowDuplicateKeys: true }), { a: 2 })
  })

  test('keeps a key named __proto__ a key', () => {
    assert.deepEqual(Object.keys(parse('__proto__: {a: 1}\n') as object), ['__proto__'])
  })
})

describe('parseAll()', () => {
  const rows: readonly (readonly [text: string, values: Json[]])[] = [
    ['', []],
    ['# only a comment\n', []],
    ['---\n---\n', []],
    ['a: 1\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['# head\n---\na: 1\n--- # next\n\n---\n- b\n---\n', [{ a: 1 }, ['b']]],
    ['{"a": 1}\r\n---\r\n[2]\r\n', [{ a: 1 }, [2]]],
    ['\ufeffa: 1\n', [{ a: 1 }]],
  ]
  for (const [text, values] of rows) {
    test(`reads ${shown(text)}`, () => {
      assert.deepEqual(parseAll(text), values)
    })
  }
})

describe('parseDocuments()', () => {
  test('gives values, lines of fields, and none for an empty file', () => {
    assert.deepEqual(parseDocuments(''), [])
    const text = 'kind: A\nnetworking:\n  # pods\n  podSubnet: x\n---\n\nlist:\n- a: 1\n- a: 2\n  b: {c: 3}\n'
    const [first, second] = parseDocuments(text, 'f.yaml')
    assert.deepEqual(first?.value, { kind: 'A', networking: { podSubnet: 'x' } })
    assert.equal(first?.line, 1)
    assert.equal(first?.lineOf(['networking', 'podSubnet']), 4)
    assert.equal(first?.lineOf(['networking', 'dnsDomain']), 2)
    assert.equal(second?.line, 6)
    assert.equal(second?.lineOf(['list', 1]), 9)
    assert.equal(second?.lineOf(['list', 1, 'b', 'c']), 10)
    assert.equal(second?.lineOf(['list', 7]), 7)
    assert.deepEqual(second?.faults, [])
  })

  test('finds fields behind aliases and merges where they are written', () => {
    const [document] = parseDocuments('base: &base\n  x: 1\nother:\n  <<: *base\n  z: 2\ncopy: *base\n')
    assert.equal(document?.lineOf(['other', 'x']), 2)
    assert.equal(document?.lineOf(['copy', 'x']), 2)
    assert.equal(document?.lineOf(['other', 'z']), 5)
  })

  test('collects what is wrong with each document', () => {
    const documents = parseDocuments('a: [\n---\nb:\n  c: 1\n  c: 2\nb: 3\n---\nd: 1\n--- x\n', 'f.yaml')
    assert.deepEqual(
      documents.map(({ value }) => value),
      [undefined, { b: 3 }, undefined],
    )
    assert.deepEqual(
      documents.flatMap(({ faults }) => faults).map(({ field, file, line }) => [field, file, line]),
      [
        ['', 'f.yaml', 2],
        ['b.c', 'f.yaml', 5],
        ['b', 'f.yaml', 6],
        ['', 'f.yaml', 9],
      ],
    )
  })

  const hostile: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
    ['a megabyte of anything', 'x\n'.repeat(500_000), /more than 256 KiB/],
    ['thousands of documents', 'a: 1\n---\n'.repeat(5_000), /more than 100 documents/],
    ['a binary', '\x7fELF\0\0\0'.repeat(1_000), /^the character U\+007F cannot stand in YAML/],
    ['an endless line', '-'.repeat(100_000), /^"-+\.\.\.$/],
    ['brackets', '['.repeat(10_000), /nested too deeply/],
    ['closing brackets', ']'.repeat(10_000), /^unexpected flow-seq-end/],
    ['HTML', '<div class="a">b: {c}</div>\n'.repeat(1_000), /^unexpected scalar/],
    [
      'aliases that grow',
      ['a: &a0 [x]', ...Array.from({ length: 20 }, (_, i) => `b${i}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`)].join('\n'),
      /^aliases make far more/,
    ],
    ['an alias to itself', 'a: &a\n  b: *a\n', /contains itself/],
  ]
  for (const [name, text, reason] of hostile) {
    test(`gives one fault for ${name}`, () => {
      const faults = parseDocuments(text, 'f').flatMap(document => document.faults)
      assert.equal(faults.length, 1)
      assert.match(faults[0]?.reason ?? '', reason)
    })
  }

  test('gives no more than 21 faults for a thousand keys that are set twice', () => {
    const [document] = parseDocuments('a: 1\n'.repeat(1_000))
    assert.equal(document?.faults.length, 21)
    assert.match(document?.faults.at(-1)?.reason ?? '', /^979 more/)
  })
})

test('formatPath() writes paths as kubeadm does', () => {
  assert.equal(formatPath(['nodeRegistration', 'taints', 0, 'key']), 'nodeRegistration.taints[0].key')
  assert.equal(formatPath([]), '')
})
