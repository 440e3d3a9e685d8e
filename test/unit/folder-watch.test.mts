import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { folderWatch } from '../../lib/machine/folder-watch.ts'

/** Waits until it holds; throws when it does not come. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries++) await sleep(10)
  assert.ok(holds())
}

test('folders are watched that come, also those that are made anew', async () => {
  const top = mkdtempSync(join(tmpdir(), 'kubestep-watch-'))
  const folder = join(top, 'given')
  const end = new AbortController()
  let count = 0
  const watchFolders = folderWatch(() => count++, end.signal)
  try {
    watchFolders([folder])
    mkdirSync(folder)
    writeFileSync(join(folder, 'a'), '')
    await sleep(50)
    assert.equal(count, 0)
    watchFolders([folder])
    writeFileSync(join(folder, 'b'), '')
    await until(() => count > 0)
    if ('deno' in process.versions) return
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    watchFolders([folder])
    await sleep(50)
    count = 0
    writeFileSync(join(folder, 'c'), '')
    await until(() => count > 0)
  } finally {
    end.abort()
    rmSync(top, { recursive: true })
  }
})
