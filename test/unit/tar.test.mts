import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { streamSource } from '../../lib/supply/fetch/byte-source.ts'
import { readTar, tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'

async function namesOf(bytes: Uint8Array): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of readTar(streamSource(Readable.from([bytes])), 'a.tar')) names.push(name)
  return names
}

const long = 'n'.repeat(100)

for (const [what, name] of [
  ['a short name', 'a/b.txt'],
  ['a name of a hundred bytes', long],
  ['a long path', `${'folder/'.repeat(20)}${long}`],
  ['a long path with other letters', `ordner/${'ü'.repeat(40)}/${'ß'.repeat(45)}`],
] as const) {
  test(`tarHeader() has room for ${what}, and readTar() gives it back`, async () => {
    const content = Buffer.from('x')
    const bytes = Buffer.concat([tarHeader(name, content.length), content, tarPadding(content.length), tarEnd()])
    assert.deepEqual(await namesOf(bytes), [name])
  })
}

test('tarHeader() refuses a name that does not fit', () => {
  assert.throws(() => tarHeader(`${long}x`, 0), RangeError)
  assert.throws(() => tarHeader(`${'folder/'.repeat(40)}a`, 0), RangeError)
})
