import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTasks, SILENCE_MS } from '../../lib/cli/tasks.ts'
import { doneLine, lookOf, warningLine } from '../../lib/cli/terminal-look.ts'

for (const [what, environment, isTerminal, live, colour] of [
  ['a terminal', { TERM: 'xterm' }, true, true, true],
  ['a pipe', { TERM: 'xterm' }, false, false, false],
  ['a terminal that can do nothing', { TERM: 'dumb' }, true, false, false],
  ['NO_COLOR', { NO_COLOR: '1' }, true, false, false],
  ['an empty NO_COLOR, which counts as none', { NO_COLOR: '' }, true, true, true],
  ['CI', { CI: 'true' }, true, false, false],
  ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, false, true],
  ['FORCE_COLOR in CI', { FORCE_COLOR: '3', CI: 'true' }, false, false, true],
  ['FORCE_COLOR against NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false, true],
  ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false, false],
] as const) {
  test(`lookOf() ${what}`, () => assert.deepEqual(lookOf(environment, isTerminal), { live, colour }))
}

test('doneLine() and warningLine() keep the words', () => {
  assert.equal(doneLine('[certs] made [a]'), '\u001b[32m✔\u001b[39m \u001b[2m[certs]\u001b[22m made [a]')
  assert.equal(warningLine('config: old'), '\u001b[33m⚠\u001b[39m config: old')
})

test('openTasks() tells what runs, explained when it takes long, and of silence what is waited for', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let clock = 0
  const [silences, pictures, done]: [string[], string[], (string | undefined)[]] = [[], [], []]
  const tasks = openTasks(
    () => pictures.push(tasks.text()),
    text => silences.push(text),
    () => clock,
  )
  const pass = (ms: number): void => {
    for (const end = clock + ms; clock < end; ) {
      clock += 1000
      t.mock.timers.tick(1000)
    }
  }
  const images = tasks.begin('images', line => done.push(line))
  images.tell('2 of 7')
  assert.equal(tasks.text(), 'images')
  pass(SILENCE_MS)
  assert.deepEqual(silences, ['10 s: images: 2 of 7'])
  assert.equal(pictures.at(-1), 'images: 2 of 7')
  const api = tasks.begin('API server', line => done.push(line))
  pass(SILENCE_MS / 2)
  tasks.spoke()
  pass(SILENCE_MS - 1000)
  assert.equal(silences.length, 1)
  api.tell('it says 500')
  pass(1000)
  assert.equal(silences[1], '25 s: images: 2 of 7; API server: it says 500')
  images.done('all')
  images.done('again')
  images.tell('too late')
  api.done()
  assert.deepEqual(done, ['all', undefined])
  assert.equal(tasks.text(), '')
  pass(10 * SILENCE_MS)
  assert.equal(silences.length, 2)
})
