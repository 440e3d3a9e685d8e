import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { writePieces } from '../../lib/machine/streamed-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep pieces '))
after(() => rmSync(folder, { recursive: true }))

async function* pieces(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text
    yield Buffer.from(text)
  }
}

describe('writePieces()', () => {
  test('writes them one after the other, with the mode that was asked for', async () => {
    const path = join(folder, 'a')
    assert.equal(await writePieces(path, 0o600, pieces('one', '', 'two')), 6)
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['onetwo', 0o600])
  })

  test('leaves nothing when they break off, and nothing takes the place of what is there', async () => {
    const before = readdirSync(folder)
    await assert.rejects(
      writePieces(join(folder, 'b'), 0o600, pieces('one', new Error('gone'))),
      /: gone; nothing was written/,
    )
    await assert.rejects(writePieces(join(folder, 'a'), 0o600, pieces('x')), /it exists already/)
    await assert.rejects(writePieces(join(folder, 'none', 'b'), 0o600, pieces('x')), /it does not exist/)
    assert.deepEqual(readdirSync(folder), before)
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'onetwo')
  })
})
