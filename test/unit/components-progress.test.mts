import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEvents, openReporter, type Progress } from '../../lib/supply/fetch/fetch-progress.ts'

const MB = 1e6

/** What is printed, by line and by picture, when events come at given milliseconds. */
function report(
  events: readonly (readonly [atMs: number, event: Progress])[],
  columns?: number,
): { readonly lines: readonly string[]; readonly pictures: readonly string[] } {
  const lines: string[] = []
  const pictures: string[] = []
  let clock = 0
  const terminal = columns === undefined ? undefined : { columns, write: (text: string) => void pictures.push(text) }
  const { onProgress, end } = openReporter(
    line => lines.push(line),
    terminal,
    () => clock,
  )
  for (const [atMs, event] of events) {
    clock = atMs
    onProgress(event)
  }
  end()
  return { lines, pictures }
}

const bytes = (received: number, name = 'kubelet', total = 80): Progress => ({
  kind: 'bytes',
  name,
  received: received * MB,
  total: total * MB,
})

test('openReporter() writes plain lines where there is no terminal, and few of them', () => {
  const { lines, pictures } = report([
    [0, { kind: 'start', name: 'kubelet', host: 'dl.k8s.io' }],
    ...Array.from({ length: 250 }, (_, index) => [index * 100, bytes(index / 5)] as const),
    [25_500, { kind: 'done', name: 'kubelet', bytes: 80 * MB }],
    [25_500, { kind: 'cached', name: 'kubectl' }],
    [25_500, { kind: 'notice', text: 'all is well' }],
  ])
  assert.deepEqual(lines, [
    '[components] Fetching kubelet from dl.k8s.io',
    '[components] kubelet: 20.0 of 80.0 MB',
    '[components] kubelet: 40.0 of 80.0 MB',
    '[components] Fetched kubelet (80.0 MB in 25.5 s)',
    '[components] Using kubectl from the cache',
    '[components] all is well',
  ])
  assert.deepEqual(pictures, [])
})

test('openReporter() draws one bar for all files on a terminal, at most ten times a second', () => {
  const start = (name: string): Progress => ({ kind: 'start', name, host: 'dl.k8s.io' })
  const { lines, pictures } = report(
    [
      [0, start('kubelet')],
      [0, start('kubectl')],
      [1000, bytes(40)],
      [1050, bytes(41)],
      [2000, bytes(20, 'kubectl', 40)],
      [3000, { kind: 'done', name: 'kubelet', bytes: 80 * MB }],
      [4000, bytes(30, 'kubectl', 40)],
    ],
    80,
  )
  assert.deepEqual(pictures, [
    '\r\u001b[2K############------------ 40.0/80.0 MB 40.0 MB/s kubelet, kubectl',
    '\r\u001b[2K############------------ 61.0/120.0 MB 30.5 MB/s kubelet, kubectl',
    '\r\u001b[2K',
    // What is done still counts.
    '\r\u001b[2K######################-- 110.0/120.0 MB 27.5 MB/s kubectl',
    '\r\u001b[2K',
  ])
  assert.deepEqual(lines, ['[components] Fetched kubelet (80.0 MB in 3.0 s)'])
})

test('openReporter() keeps the bar on one line', () => {
  const { pictures } = report(
    [
      [0, { kind: 'start', name: 'kubelet', host: 'x' }],
      [500, bytes(1)],
    ],
    20,
  )
  assert.equal(pictures[0]?.replace('\r\u001b[2K', '').length, 19)
})

test('openReporter() tells of a trouble once, however many files it concerns', () => {
  const retry = (name: string, pauseMs: number): Progress => ({
    kind: 'retry',
    name,
    reason: 'dl.k8s.io: down',
    pauseMs,
  })
  const { lines } = report([
    [0, retry('kubelet', 300)],
    [0, retry('kubectl', 300)],
    [0, retry('kubelet', 2000)],
    [0, { kind: 'retry', name: 'kubelet', reason: 'dl.k8s.io: slow', pauseMs: 2000 }],
  ])
  assert.deepEqual(lines, [
    '[components] kubelet: dl.k8s.io: down; trying again',
    '[components] kubelet: dl.k8s.io: slow; trying again in 2.0 s',
  ])
})

test('openReporter() shows the end of long names, and what proves a file', () => {
  const name = 'image registry.k8s.io/coredns/coredns:v1.14.2'
  const { pictures } = report(
    [
      [0, { kind: 'start', name, host: 'x' }],
      [500, bytes(1, name)],
    ],
    80,
  )
  assert.match(pictures[0] ?? '', / MB\/s coredns:v1\.14\.2$/)
  const { lines } = report([
    [0, { kind: 'start', name: 'kubelet', host: 'x' }],
    [1000, { kind: 'done', name: 'kubelet', bytes: MB, proof: ['lock', 'signature'] }],
  ])
  assert.equal(lines[1], '[components] Fetched kubelet (1.0 MB in 1.0 s, SHA-256 as locked, signature verified)')
})

test('openEvents() tells everything, and of bytes once a second', () => {
  const told: (readonly [string, unknown])[] = []
  let clock = 0
  const onProgress = openEvents(
    (kind, facts) => told.push([kind, facts.state === 'bytes' ? facts.received : facts.state]),
    () => clock,
  )
  onProgress({ kind: 'start', name: 'a', host: 'x' })
  for (clock = 0; clock <= 2500; clock += 100) onProgress(bytes(clock / 100, 'a'))
  onProgress(bytes(1, 'b'))
  onProgress({ kind: 'notice', text: 'n' })
  onProgress({ kind: 'done', name: 'a', bytes: 1 })
  assert.deepEqual(
    told.map(([kind, what]) => `${kind} ${what}`),
    ['start', 0, 10 * MB, 20 * MB, MB, 'notice', 'done'].map(what => `component ${what}`),
  )
})
