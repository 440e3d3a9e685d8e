/** Up and away, again and again: nothing grows. KUBESTEP_E2E_ROUNDS says how often; the default is 3. */
import assert from 'node:assert/strict'
import { init, onMachine, succeeded } from './attempt.ts'
import { difference, readMachineState, sizes } from './machine-state.ts'
import { bundle, run } from './programs.ts'

const ROUNDS = Number(process.env.KUBESTEP_E2E_ROUNDS ?? 3)

onMachine(`${ROUNDS} rounds of init and reset leave no trace`, async (target, say) => {
  const before = readMachineState()
  say(`before: ${JSON.stringify(sizes(before))}`)
  for (let round = 1; round <= ROUNDS; round++) {
    const up = await run(init(target))
    succeeded(up)
    const during = sizes(readMachineState())
    succeeded(await run(bundle('reset')))
    const after = readMachineState()
    const ready = /is ready after (.*)/.exec(up.stdout)?.[1]
    say(`round ${round}: ready after ${ready}; up ${JSON.stringify(during)}; down ${JSON.stringify(sizes(after))}`)
    assert.deepEqual(difference(before, after).slice(0, 50), [])
  }
})
