/** The mask over a million lines: no secret comes through, and it is done in a time that nobody minds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskSecrets } from '../../lib/base/secrets.ts'
import { MARK, secretLines } from '../secret-lines.ts'

const LINES = 1_000_000
const AT_ONCE = 20_000

test('maskSecrets() lets none of a million secrets through', () => {
  let milliseconds = 0
  for (let done = 0; done < LINES; done += AT_ONCE) {
    const lines = secretLines(AT_ONCE, done + 1)
    const start = performance.now()
    const masked = maskSecrets(lines.join('\n'))
    milliseconds += performance.now() - start
    if (!masked.includes(MARK)) continue
    assert.deepEqual(
      lines.filter(line => maskSecrets(line).includes(MARK)).slice(0, 10),
      masked.split('\n').filter(line => line.includes(MARK)),
    )
  }
  assert.ok(milliseconds < 120_000, `it took ${milliseconds} ms`)
})

test('maskSecrets() is not held up by what looks nearly like one', () => {
  const long = [
    '-a',
    'a-',
    'password',
    'http://',
    'eyJ',
    'a.b',
    '"\\',
    '-----BEGIN PRIVATE KEY-----',
    'x:',
    'name: token ',
  ]
  const start = performance.now()
  for (const part of long) maskSecrets(part.repeat(200_000 / part.length))
  const taken = performance.now() - start
  assert.ok(taken < 20_000, `it took ${taken} ms`)
})
