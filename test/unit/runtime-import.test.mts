import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { importArchives } from '../../lib/supply/runtime/import-archives.ts'

/** A ctr that does as told the first time, and is well from then on. */
function ctr(first: string): { readonly folder: string; readonly program: string; readonly calls: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep ctr '))
  const program = join(folder, 'ctr')
  const log = join(folder, 'calls')
  writeFileSync(log, '')
  writeFileSync(program, `#!/bin/sh\necho "$*" >>"${log}"\n[ "$(wc -l <"${log}")" -gt 1 ] && exit 0\n${first}\n`)
  chmodSync(program, 0o755)
  return { folder, program, calls: () => readFileSync(log, 'utf8').split('\n').length - 1 }
}

for (const [what, first, message] of [
  ['was killed', 'kill -9 $$', /^images: cannot import "a\.tar": .*\/ctr was killed by SIGKILL/],
  [
    'finds the archive damaged',
    'echo "ctr: unexpected blob" >&2; exit 1',
    /cannot import "a\.tar": .*ended with status 1: ctr: unexpected blob$/,
  ],
  [
    'lost a runtime that stays away',
    'echo "ctr: transport is closing: unavailable" >&2; exit 1',
    /cannot import "a\.tar": the runtime at "unix:\/\/.*" went away meanwhile, and is not back after 0\.1 s \(unavailable\)/,
  ],
] as const) {
  test(`importArchives() does not go on where ctr ${what}`, async () => {
    const { folder, program, calls } = ctr(first)
    const socket = `unix://${folder}/none.sock`
    const isThere = async (): Promise<boolean> => /damaged/.test(what)
    await assert.rejects(
      importArchives(program, socket, ['a.tar', 'b.tar'], { isThere, backLimitMs: 100 }),
      ({ message: text }: Error) => message.test(text),
    )
    assert.equal(calls(), 1)
    rmSync(folder, { recursive: true })
  })
}

test('importArchives() gives a runtime that died and is back the archive again', async () => {
  const { folder, program, calls } = ctr('echo "failed to send write: transport is closing: unavailable" >&2; exit 1')
  let looks = 0
  const imported: string[] = []
  await importArchives(program, `unix://${folder}/x.sock`, ['a.tar', 'b.tar'], {
    isThere: async () => ++looks > 2,
    onImported: archive => imported.push(archive),
  })
  assert.deepEqual(imported, ['a.tar', 'b.tar'])
  assert.equal(calls(), 3)
  assert.equal(looks, 3)
  rmSync(folder, { recursive: true })
})
