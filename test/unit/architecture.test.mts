/** The map for newcomers is true: its files are there, and export what it names. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const map = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').split('## Where to change what')[1] ?? ''
const rows = [...map.matchAll(/^\| ([^|]+) \| `([^`]+)` \| (?:`([^`]+)` )?\|$/gm)]

test('ARCHITECTURE.md says where to change at least 25 things', () => {
  assert.ok(rows.length >= 25, `${rows.length} rows`)
})

for (const [, what, file = '', name] of rows) {
  test(`ARCHITECTURE.md: ${what} is in ${file}`, async () => {
    const exports = (await import(join(ROOT, file))) as Record<string, unknown>
    if (name === undefined) assert.ok(Object.keys(exports).length > 0)
    else assert.ok(name in exports, name)
  })
}
