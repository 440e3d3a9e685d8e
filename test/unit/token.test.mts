import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTokenGroup, parseToken, randomToken } from '../../lib/base/token.ts'

test('parseToken() splits id and secret', () => {
  assert.deepEqual(parseToken('abcdef.0123456789abcdef'), { id: 'abcdef', secret: '0123456789abcdef' })
})

for (const text of [
  '',
  'abcdef',
  'ABCDEF.0123456789abcdef',
  'abcdef.0123456789abcde',
  'abcdefg.0123456789abcdef',
  'abcdef.0123456789abcdef\n',
]) {
  test(`parseToken() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseToken(text), undefined)
  })
}

test('randomToken() makes tokens, another one each time', () => {
  const tokens = Array.from({ length: 50 }, randomToken)
  assert.ok(tokens.every(token => parseToken(token) !== undefined))
  assert.equal(new Set(tokens).size, tokens.length)
})

const GROUPS: readonly (readonly [group: string, valid: boolean])[] = [
  ['system:bootstrappers:kubeadm:default-node-token', true],
  ['system:bootstrappers:x', true],
  ['system:bootstrappers:', false],
  ['system:bootstrappers:x-', false],
  ['system:bootstrappers:X', false],
  ['system:masters', false],
]

for (const [group, valid] of GROUPS) {
  test(`isTokenGroup() ${valid ? 'takes' : 'refuses'} "${group}"`, () => {
    assert.equal(isTokenGroup(group), valid)
  })
}
