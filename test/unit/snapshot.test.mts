/** Snapshots of etcd as files: what is refused before anything is stopped. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { etcd } from '../../lib/phases/etcd.ts'
import { checkSnapshot } from '../../lib/phases/snapshot/snapshot-file.ts'
import { outputOf } from '../output.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep snapshot '))
after(() => rmSync(folder, { recursive: true }))

const data = Buffer.alloc(100_000, 'x')
const digest = createHash('sha256').update(data).digest()

describe('checkSnapshot()', () => {
  const rows: readonly (readonly [what: string, content: Buffer | undefined, fault: RegExp | undefined])[] = [
    ['whole', Buffer.concat([data, digest]), undefined],
    ['cut off', Buffer.concat([data, digest]).subarray(0, -1), /not a whole one/],
    ['a copy of the database', data, /not a whole one/],
    ['empty', Buffer.alloc(0), /not a whole one/],
    ['a digest alone', digest, /not a whole one/],
    ['missing', undefined, /it does not exist/],
  ]
  for (const [what, content, fault] of rows) {
    test(what, async () => {
      const file = join(folder, what)
      if (content !== undefined) writeFileSync(file, content)
      if (fault === undefined) await checkSnapshot(file)
      else await assert.rejects(checkSnapshot(file), fault)
    })
  }
})

describe('etcd', () => {
  const rows: readonly (readonly [args: readonly string[], fault: RegExp])[] = [
    [['snapshot', 'save'], /one FILE has to say where/],
    [['snapshot', 'save', 'a', 'b'], /one FILE has to say where/],
    [['snapshot', 'restore'], /one FILE has to say which/],
  ]
  for (const [args, fault] of rows) {
    test(args.join(' '), async () => {
      const call = { ...parseArguments(etcd.command, args), name: 'etcd', output: outputOf() }
      await assert.rejects(etcd.run(call), fault)
    })
  }
})
