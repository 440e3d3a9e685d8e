/** What robustness tests share: one version, attempts at an init, and a machine that is afterwards as it was. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { openMachine } from './machine.ts'
import { changesSince, readMachineState } from './machine-state.ts'
import { bundle, type Ended, run } from './programs.ts'
import type { Target } from './targets.ts'

const { targets, skipped } = await openMachine()
/** What is tested by it is ours, not Kubernetes'. */
export const newest: Target | undefined = targets.at(-1)
/** Why there is none. */
export const unfit: string = skipped.join('; ')

/** A test of a real cluster; it is skipped, and says why, where none can be. */
export function onMachine(name: string, body: (target: Target, say: (line: string) => void) => Promise<void>): void {
  test(name, { skip: newest === undefined ? unfit : false }, async t => {
    if (newest !== undefined) await body(newest, line => t.diagnostic(line))
  })
}

/** A test that ends with a reset, after which nothing may be left. */
export function leavesNothing(name: string, body: (target: Target) => Promise<void>): void {
  onMachine(name, async target => {
    const before = readMachineState()
    try {
      await body(target)
    } finally {
      const { status, stderr } = await run(bundle('reset'))
      assert.equal(status, 0, stderr)
    }
    assert.deepEqual(await changesSince(before), [])
  })
}

/** The command line of an init. */
export function init({ artifacts, args }: Target, ...more: readonly string[]): string[] {
  return bundle('init', '--artifacts', artifacts, ...args, '--profile', 'ci', ...more)
}

/** Asserts that it failed as it should: status 1 and what to know on standard error. */
export function failed({ status, stderr }: Ended, ...messages: readonly RegExp[]): void {
  // What was logged is meant to stay; not here.
  for (const [, logs] of stderr.matchAll(/logged is in "(.+?)"/g)) rmSync(logs ?? '', { force: true })
  for (const message of messages) assert.match(stderr, message)
  assert.equal(status, 1)
}

/** Asserts that it came to its good end. */
export function succeeded({ status, stderr }: Ended): void {
  assert.equal(status, 0, stderr)
}
