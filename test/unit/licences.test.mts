import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { licenceText } from '../../scripts/licences.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('licenceText()', () => {
  test('has a section for each package, with what its own folder says, once', () => {
    const modules = ['node_modules/yaml/dist/index.js', 'node_modules/yaml/dist/doc/Document.js', 'lib/base/yaml.ts']
    const text = licenceText([...modules, 'node_modules/zx/build/core.cjs'].map(path => join(ROOT, path)))
    assert.equal(text.match(/^yaml \d\S* \(ISC\)$/gm)?.length, 1)
    assert.match(text, /Permission to use, copy, modify/)
    // zx has others in it, and says which in the folder of its build.
    assert.match(text, /^zx \d\S* \(Apache-2\.0\)$[\s\S]*THIRD PARTY LICENSES/m)
  })

  test('refuses a package that says nothing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubestep-licences-'))
    const silent = join(folder, 'node_modules/@some/one')
    mkdirSync(silent, { recursive: true })
    writeFileSync(join(silent, 'package.json'), '{ "name": "@some/one", "version": "1.0.0", "license": "MIT" }')
    assert.throws(
      () => licenceText([join(silent, 'index.js')]),
      /build: cannot bundle @some\/one: the package has no licence/,
    )
    rmSync(folder, { recursive: true })
  })
})

test('what is fetched for development and bundles is looked after: packages and actions', () => {
  const { updates } = parse(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8')) as {
    updates: readonly { 'package-ecosystem': string; schedule: { interval: string } }[]
  }
  assert.deepEqual(updates.map(row => row['package-ecosystem']).sort(), ['github-actions', 'npm'])
})

test('there is a place to tell of faults of security', () => {
  assert.match(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'), /in private/)
  assert.ok(existsSync(join(ROOT, 'docs/security.md')))
})
