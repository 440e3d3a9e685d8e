/** Standard output that cannot be written, on every runtime: one line and status 1; a reader that goes away: nothing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runtimes to try, as the test runner gives them; the Node that runs this otherwise. */
const RUNTIMES = (process.env.KUBESTEP_RUNTIMES ?? process.execPath).split(':')

const COMMANDS: readonly (readonly [bundle: string, ...args: string[]])[] = [
  ['config', 'print', 'init-defaults'],
  ['init', '--help'],
  ['images', 'list', '-o', 'json'],
  ['init', '--dry-run', '--apiserver-advertise-address', '10.0.0.5', '--output-dir', 'TREE'],
]

const noFull = !existsSync('/dev/full') && 'there is no /dev/full'

for (const runtime of RUNTIMES) {
  const program = basename(runtime) === 'deno' ? [runtime, 'run', '-A'] : [runtime]
  for (const [bundle, ...args] of COMMANDS) {
    const what = `${bundle} ${args.slice(0, 2).join(' ')} on ${basename(runtime)}`
    const shell = (script: string): { status: number | null; stderr: string; wrote: boolean } => {
      const folder = mkdtempSync(join(tmpdir(), 'kubestep-streams-'))
      try {
        const given = args.map(argument => (argument === 'TREE' ? join(folder, 'tree') : argument))
        const command = [...program, join(ROOT, 'dist', `${bundle}.mjs`), ...given]
        const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; "$@" ${script}`, 'bash', ...command], {
          encoding: 'utf8',
          timeout: 60_000,
        })
        return { status, stderr, wrote: existsSync(join(folder, 'tree/cluster-objects.yaml')) }
      } finally {
        rmSync(folder, { recursive: true })
      }
    }

    test(`${what}: a full disk is one line and status 1, and the work is done all the same`, { skip: noFull }, () => {
      const { status, stderr, wrote } = shell('> /dev/full')
      assert.match(stderr, /^\w+: cannot write to standard output: no space left on the device; [^\n]*\n$/)
      assert.equal(status, 1)
      assert.equal(wrote, args.includes('TREE'))
    })

    test(`${what}: a reader that goes away is no failure`, () => {
      const { status, stderr } = shell('| head -c 1 > /dev/null')
      assert.equal(stderr, '')
      assert.equal(status, 0)
    })

    test(`${what}: a full standard error changes nothing`, { skip: noFull }, () => {
      const { status, wrote } = shell('2> /dev/full > /dev/null')
      assert.equal(status, 0)
      assert.equal(wrote, args.includes('TREE'))
    })
  }

  test(`a wrong option keeps its status where nothing can be said of it, on ${basename(runtime)}`, {
    skip: noFull,
  }, () => {
    const command = [...program, join(ROOT, 'dist/init.mjs'), '--no-such-option']
    const { status } = spawnSync('bash', ['-c', '"$@" 2> /dev/full', 'bash', ...command])
    assert.equal(status, 2)
  })
}
