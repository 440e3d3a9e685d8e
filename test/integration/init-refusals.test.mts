/** What init refuses before it touches anything. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))
const INIT = fileURLToPath(new URL('../../scripts/init.mts', import.meta.url))

for (const [what, options, status, message] of [
  ['a live cluster below a folder', ['--root', 'FOLDER'], 2, /^init: cannot bring up a cluster below ".*": /],
  ['a tree without a dry run', ['--output-dir', 'FOLDER'], 2, /^init: cannot use --output-dir: it goes with --dry-run/],
  [
    'artifacts that are nowhere for a name',
    ['--dry-run', '--kubernetes-version', 'stable', '--artifacts', 'FOLDER'],
    1,
    /^version: cannot use "stable" with --artifacts/,
  ],
] as const) {
  test(`init refuses ${what}`, () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'kubestep refusals ')), 'folder')
    const types = 'typescript' in process.features && process.features.typescript ? [] : ['--import', TSX]
    const given = options.map(option => (option === 'FOLDER' ? folder : option))
    const { status: ended, stderr } = spawnSync(process.execPath, [...types, INIT, ...given], { encoding: 'utf8' })
    assert.match(stderr, message)
    assert.equal(ended, status)
    assert.equal(existsSync(folder), false)
    rmSync(join(folder, '..'), { recursive: true })
  })
}
