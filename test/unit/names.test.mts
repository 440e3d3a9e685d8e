import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSubdomain, isWildcardSubdomain, subdomainFault } from '../../lib/base/dns-names.ts'

const LONG = 'a'.repeat(60)
const LONGEST = `${LONG}.${LONG}.${LONG}.${LONG}.${'b'.repeat(9)}`

// Columns: label, subdomain, wildcard.
const NAMES: readonly (readonly [text: string, kinds: string])[] = [
  ['n1', 's-'],
  ['n1.example.com', 's-'],
  ['123', 's-'],
  ['a-b', 's-'],
  ['-a', '--'],
  ['a-', '--'],
  ['a..b', '--'],
  ['a.', '--'],
  ['.a', '--'],
  ['A', '--'],
  ['a_b', '--'],
  ['', '--'],
  ['*.example.com', '-w'],
  ['*', '--'],
  ['*.*.example.com', '--'],
  ['a.*.example.com', '--'],
  ['a'.repeat(63), 's-'],
  ['a'.repeat(64), 's-'],
  [LONGEST, 's-'],
  [`${LONGEST}b`, '--'],
]

for (const [text, kinds] of NAMES) {
  test(`names: "${text}" is ${kinds}`, () => {
    const found = `${isSubdomain(text) ? 's' : '-'}${isWildcardSubdomain(text) ? 'w' : '-'}`
    assert.equal(found, kinds)
  })
}

test('subdomainFault() tells length from spelling', () => {
  assert.match(subdomainFault(`${LONGEST}b`) ?? '', /longer than 253/)
  assert.match(subdomainFault('A_b') ?? '', /lower case/)
  assert.equal(subdomainFault('example.com'), undefined)
})
