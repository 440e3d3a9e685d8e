/** An init or a reset that is killed, interrupted or disturbed by another one: the next one puts it right. */
import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { quote } from '../../lib/machine/command.ts'
import { failed, init, leavesNothing, succeeded } from './attempt.ts'
import { someOf } from './extent.ts'
import { MOMENTS, momentWhen, RESET_MOMENTS, waitFor } from './moments.ts'
import { bundle, run, start } from './programs.ts'

for (const moment of someOf(MOMENTS, 4)) {
  leavesNothing(`reset works after kill -9 of init when ${moment.about}`, async target => {
    const running = start(init(target))
    await waitFor(moment, running)
    process.kill(running.pid, 'SIGKILL')
    await running.ended
  })
}

for (const moment of someOf(MOMENTS, 3)) {
  leavesNothing(`init works after kill -9 of init when ${moment.about}`, async target => {
    const running = start(init(target))
    await waitFor(moment, running)
    process.kill(running.pid, 'SIGKILL')
    await running.ended
    const again = await run(init(target))
    succeeded(again)
    assert.match(again.stdout, /Taking away what an earlier init left/)
  })
}

for (const moment of someOf(RESET_MOMENTS, 1)) {
  leavesNothing(`reset works after kill -9 of reset when ${moment.about}`, async target => {
    succeeded(await run(init(target)))
    const running = start(bundle('reset'))
    await waitFor(moment, running)
    process.kill(running.pid, 'SIGKILL')
    assert.equal((await running.ended).status, 137, 'it was too quick for this test')
  })
}

for (const about of someOf(['static Pods are written', 'its record is begun', 'the API server answers'], 1)) {
  leavesNothing(`init ends cleanly on Ctrl-C when ${about}`, async target => {
    const running = start(init(target))
    await waitFor(momentWhen(about), running)
    process.kill(running.pid, 'SIGINT')
    const { status, stderr } = await running.ended
    const [node = '', reset = ''] = bundle('reset')
    assert.match(stderr, /^init: interrupted; run it again to start over, or take away what it made: .+reset\.mjs\n$/)
    assert.ok(stderr.includes(`: ${quote(node)} ${relative(process.cwd(), reset)}\n`))
    assert.equal(status, 130)
  })
}

leavesNothing('a second init and a reset refuse while an init is at work, and do it no harm', async target => {
  const first = start(init(target))
  await waitFor(momentWhen('the runtime starts'), first)
  for (const [name, command] of [
    ['init', init(target)],
    ['reset', bundle('reset')],
  ] as const) {
    const refused = new RegExp(`^${name}: cannot start: process ${first.pid} \\(init\\) is at work`, 'm')
    failed(await run(command), refused)
  }
  succeeded(await first.ended)
})

leavesNothing('an init that clears away what another left keeps others out', async target => {
  const killed = start(init(target))
  await waitFor(momentWhen('the kubelet starts'), killed)
  process.kill(killed.pid, 'SIGKILL')
  await killed.ended
  const first = start(init(target))
  // Clearing away has taken the first folder of ours with it by the time that this one comes again.
  await waitFor({ about: 'it has cleared away', reached: () => first.said().includes('Taking away') }, first)
  await waitFor(momentWhen('the kubelet starts'), first)
  failed(await run(init(target)), new RegExp(`process ${first.pid} \\(init\\) is at work`))
  succeeded(await first.ended)
})
