/** What the end-to-end tests decide by: which rows are tried, and what ran on another machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { someOf } from '../e2e/extent.ts'
import { readTap } from '../e2e/tap.ts'

const ROWS = [1, 2, 3, 4, 5]
const EXTENTS: readonly (readonly [count: number, all: boolean, expected: readonly number[]])[] = [
  [2, true, ROWS],
  [1, false, [1]],
  [2, false, [1, 5]],
  [3, false, [1, 3, 5]],
  [5, false, ROWS],
  [9, false, ROWS],
]

for (const [count, all, expected] of EXTENTS) {
  test(`${all ? 'all' : `${count} of ${ROWS.length}`} rows`, () => assert.deepEqual(someOf(ROWS, count, all), expected))
}

const TAP = `TAP version 13
# Subtest: a \\# b
ok 1 - a \\# b
  ---
  duration_ms: 12
  type: 'test'
  ...
# said this
# Subtest: elsewhere
ok 2 - elsewhere # SKIP because \\# of
  ---
  duration_ms: 1
  ...
# Subtest: bad
    # Subtest: inner
    not ok 1 - inner
      ---
      error: 'x y'
      ...
    1..1
not ok 3 - bad
  ---
  error: '1 subtest failed'
  ...
1..3
# tests 4
# pass 1
`

test('results of tests that ran elsewhere', () => {
  assert.deepEqual(readTap(TAP), [
    { name: 'a # b', passed: true, details: 'duration_ms: 12\n# said this' },
    { name: 'elsewhere', passed: true, skipped: 'because # of', details: 'duration_ms: 1' },
    { name: 'bad', passed: false, details: "not ok 1 - inner\n      error: 'x y'\n  error: '1 subtest failed'" },
  ])
  assert.deepEqual(readTap(''), [])
})
