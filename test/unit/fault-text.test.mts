import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { KubestepError, Reason, UsageError } from '../../lib/base/errors.ts'
import { faultText } from '../../lib/cli/fault-text.ts'

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const ROWS: readonly (readonly [what: string, error: unknown, text: RegExp])[] = [
  ['an error for people', new KubestepError('certs: cannot x'), /^certs: cannot x$/],
  ['a reason without a phase', new Reason('cannot x'), /^init: cannot x$/],
  [
    'a file that is not there',
    thrown(() => readFileSync('/no/such')),
    /^init: cannot open "\/no\/such": it does not exist; correct the path$/,
  ],
  [
    'a folder in place of a file',
    thrown(() => readFileSync('/')),
    /^init: cannot (?:read|open "\/"): it is a folder; name a file$/,
  ],
  [
    'a fault of ours',
    thrown(() => (undefined as unknown as string).length),
    /^init: cannot go on: TypeError: .*; this is a fault of kubestep: run it again with --verbose and report/,
  ],
  ['several lines', new Error(`a\n${'b'.repeat(1000)}`), /^init: cannot go on: Error: a; this is a fault/],
  ['a minified line', new Error('b'.repeat(1000)), /^.{300,450}$/],
  ['no error at all', 'text', /^init: cannot go on: text; this/],
  ['nothing', undefined, /^init: cannot go on: undefined; this/],
]
for (const [what, error, text] of ROWS) {
  test(`faultText() has a line for ${what}`, () => assert.match(faultText('init', error, false), text))
}

test('faultText() shows where a fault happened on request, but not for a wrong option', () => {
  assert.match(faultText('init', new Error('x'), true), /\n\s+at /)
  assert.equal(faultText('init', new UsageError('init: cannot take'), true), 'init: cannot take')
})
