import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { withFiles } from '../../lib/cli/option-files.ts'
import { OPTIONS, type Option } from '../../lib/cli/options.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep options '))
after(() => rmSync(folder, { recursive: true }))

const read = (flags: Readonly<Record<string, string | boolean>>) =>
  withFiles('init', { flags, subcommand: '', positionals: [] }).flags

describe('withFiles()', () => {
  test('takes what stands in the file, for options that may be secret', () => {
    const path = join(folder, 'mirrors')
    writeFileSync(path, 'https://u:p@a.example\n docker.io=https://b.example\n')
    assert.deepEqual(read({ mirror: `@${path}`, 'dry-run': true, 'node-name': '@x' }), {
      mirror: 'https://u:p@a.example,docker.io=https://b.example',
      'dry-run': true,
      'node-name': '@x',
    })
    writeFileSync(path, 'abcdef.0123456789abcdef\n')
    assert.equal(read({ token: `@${path}` }).token, 'abcdef.0123456789abcdef')
  })

  test('refuses a file that is not there, and one with nothing in it', () => {
    assert.throws(
      () => read({ mirror: `@${join(folder, 'no')}` }),
      /init: cannot read --mirror from ".*no": there is no/,
    )
    writeFileSync(join(folder, 'empty'), '\n')
    assert.throws(() => read({ token: `@${join(folder, 'empty')}` }), /it is empty; correct the path/)
  })

  test('every option that is named like a secret is one', () => {
    for (const [name, option] of Object.entries<Option>(OPTIONS)) {
      if (option.type === 'string' && /(token|key|password)$/.test(name)) assert.equal(option.secret, true, name)
    }
  })
})
