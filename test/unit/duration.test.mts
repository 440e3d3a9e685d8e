import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationFault, durationMilliseconds, formatDuration, parseDuration } from '../../lib/base/duration.ts'

const ROUND_TRIPS: readonly (readonly [text: string, go: string])[] = [
  ['0', '0s'],
  ['90s', '1m30s'],
  ['8760h', '8760h0m0s'],
  ['87600h0m0s', '87600h0m0s'],
  ['1.5h', '1h30m0s'],
  ['.5s', '500ms'],
  ['1h30m1.25s', '1h30m1.25s'],
  ['-1h', '-1h0m0s'],
  ['+5m', '5m0s'],
  ['250us', '250µs'],
  ['1500ns', '1.5µs'],
  ['1ns', '1ns'],
  ['2562047h47m16.854775807s', '2562047h47m16.854775807s'],
]

for (const [text, go] of ROUND_TRIPS) {
  test(`parseDuration() reads "${text}" as formatDuration() writes "${go}"`, () => {
    assert.equal(formatDuration(parseDuration(text)), go)
  })
}

const REFUSED: readonly (readonly [text: string, reason: RegExp])[] = [
  ['', /not a duration/],
  ['5', /without a unit/],
  ['1y', /"y" is not a unit/],
  ['1h 30m', /"h " is not a unit/],
  ['1 day', /" day" is not a unit/],
  ['h', /not a duration/],
  ['1h30', /without a unit/],
  ['9999999h', /longer than 292 years/],
  ['.s', /not a duration/],
]

for (const [text, reason] of REFUSED) {
  test(`parseDuration() refuses "${text}"`, () => {
    assert.match(durationFault(text) ?? '', reason)
    assert.throws(() => parseDuration(text), reason)
  })
}

test('durationMilliseconds() gives what timers want', () => {
  assert.equal(durationMilliseconds('4m0s'), 240_000)
  assert.equal(durationMilliseconds('1.5ms'), 1.5)
})
