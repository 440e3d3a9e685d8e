/** What docs/security.md says of the action, held against its code. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PASSED } from '../../lib/action/run-as-root.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DOC = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')

/** The sources of the action's own process. */
const SOURCES: readonly string[] = [
  ...readdirSync(join(ROOT, 'lib/action')).map(name => `lib/action/${name}`),
  'scripts/action.mts',
  'scripts/action-post.mts',
].map(path => readFileSync(join(ROOT, path), 'utf8'))

function found(pattern: RegExp): string[] {
  return [...new Set(SOURCES.flatMap(text => [...text.matchAll(pattern)].map(([, name = '']) => name)))].sort()
}

function named(pattern: RegExp): string[] {
  const [row = ''] = pattern.exec(DOC) ?? []
  return [...row.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name).sort()
}

describe('docs/security.md', () => {
  test('names every bundle that starts as root, and no other', () => {
    const bundles = [...DOC.matchAll(/^\| `(\w+)\.mjs` \|/gm)].map(([, name = '']) => name)
    assert.deepEqual(found(/(?:runAsRoot|asRoot)\(bundle\('(\w+)'/g), bundles.sort())
  })

  test('names every other command that starts as root, and no other', () => {
    // `true` asks sudo whether it lets us.
    // The command that collects logs has a `chown`.
    const commands = found(/(?:(?:runAsRoot|asRoot)\(\['|\$root )(\w+)/g).filter(name => name !== 'true')
    assert.deepEqual(
      commands,
      named(/^\| `cat`.*\|$/m).filter(name => name === name.toLowerCase()),
    )
  })

  test('names every variable that reaches root', () => {
    for (const name of PASSED.filter(one => !/proxy$/i.test(one))) assert.ok(DOC.includes(`\`${name}\``), name)
    assert.ok(PASSED.every(name => /proxy$/i.test(name) || DOC.includes(name)))
    for (const name of PASSED) assert.doesNotMatch(name, /TOKEN|SECRET|GITHUB|ACTIONS|RUNNER/)
  })

  test('nothing but the report writes to the log: there is the mask, and there commands are stopped', () => {
    for (const text of SOURCES) {
      if (text.includes("from '@actions/core'")) assert.match(text, /export function openReporting/)
      assert.doesNotMatch(text, /console\.|process\.std(?:out|err)\.write/)
    }
  })
})
