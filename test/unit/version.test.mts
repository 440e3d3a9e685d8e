import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatVersion, isSince, parseVersion, type Since, type Version, valueSince } from '../../lib/base/version.ts'

function version(text: string): Version {
  const parsed = parseVersion(text)
  assert.ok(parsed, text)
  return parsed
}

for (const [text, printed] of [
  ['v1.36.2', 'v1.36.2'],
  ['1.18.3', 'v1.18.3'],
  ['v1.36.2-rc.1+abc', 'v1.36.2-rc.1+abc'],
  ['v1.37.0-alpha.0.12', 'v1.37.0-alpha.0.12'],
] as const) {
  test(`formatVersion() prints what parseVersion() read: ${text}`, () => {
    assert.equal(formatVersion(version(text)), printed)
  })
}

for (const text of ['', 'v1', '1.36', 'v1.36.x', 'latest', 'v01.2.3', '1.2.3.4', 'v1.2.3-', ' v1.2.3']) {
  test(`parseVersion() gives undefined for "${text}"`, () => {
    assert.equal(parseVersion(text), undefined)
  })
}

for (const [text, since, expected] of [
  ['v1.22.0', '1.22', true],
  ['v1.22.0-rc.1', '1.22', true],
  ['v1.21.9', '1.22', false],
  ['v1.36.0', '1.36.1', false],
  ['v1.36.1', '1.36.1', true],
  ['v2.0.0', '1.36', true],
] as const) {
  test(`isSince() says ${expected} for ${text} and ${since}`, () => {
    assert.equal(isSince(version(text), since), expected)
  })
}

test('valueSince() takes the newest row reached', () => {
  const table: Since<string> = { '1.18': 'old', '1.22': 'middle', '1.36.1': 'new' }
  assert.equal(valueSince(table, version('v1.17.0')), undefined)
  assert.equal(valueSince(table, version('v1.18.20')), 'old')
  assert.equal(valueSince(table, version('v1.36.0')), 'middle')
  assert.equal(valueSince(table, version('v1.36.2')), 'new')
})
