/**
 * The test files of this folder once more, on a machine with systemd as PID 1: services are units there, control groups
 * are slices and scopes. Each of its tests is one here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALL } from './extent.ts'
import { openMachine } from './machine.ts'
import { changesSince, readMachineState } from './machine-state.ts'
import { type SystemdMachine, startSystemdMachine } from './systemd-machine.ts'
import { readTap } from './tap.ts'

interface Row {
  readonly file: string
  /** Also where not everything is tried. */
  readonly always?: true
}

const FILES: readonly Row[] = [
  { file: 'rounds.test.mts', always: true },
  { file: 'surroundings.test.mts', always: true },
  { file: 'cluster.test.mts' },
  { file: 'action.test.mts' },
  { file: 'phases.test.mts' },
  { file: 'prepare.test.mts' },
  { file: 'obstacles.test.mts' },
  { file: 'interrupted.test.mts' },
]

const { targets, skipped } = await openMachine()
const before = readMachineState()
const machine = targets.length === 0 ? skipped.join('; ') : await startSystemdMachine()
if (typeof machine === 'string') test('a machine with systemd', { skip: machine }, () => {})
else onIt(machine)

function onIt({ runFile, down }: SystemdMachine): void {
  for (const { file } of FILES.filter(({ always }) => ALL || always)) {
    test(`on a machine with systemd: ${file}`, async t => {
      const { status, stdout, stderr } = await runFile(file)
      const results = readTap(stdout)
      for (const { name, passed, skipped: skip, details } of results) {
        await t.test(name, { skip: skip ?? false }, one => {
          one.diagnostic(details)
          assert.ok(passed, details)
        })
      }
      const said = stdout + stderr
      assert.ok(
        results.some(result => result.skipped === undefined),
        `nothing ran: ${said}`,
      )
      assert.equal(
        status === 0,
        results.every(({ passed }) => passed),
        said,
      )
    })
  }

  test('the machine with systemd leaves nothing on the one around it', async () => {
    await down()
    assert.deepEqual(await changesSince(before), [])
  })
}
