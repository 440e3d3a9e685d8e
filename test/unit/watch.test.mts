/** Following a collection: what a server says, event by event, and what is known then. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { type Api, ApiError } from '../../lib/cluster/api/api-client.ts'
import { follow } from '../../lib/cluster/api/watch.ts'

const object = (name: string, version: number): JsonObject => ({ metadata: { name, resourceVersion: String(version) } })
const event = (type: string, subject: JsonObject): string => JSON.stringify({ type, object: subject })

interface Script {
  /** Answers to lists, in turn. */
  readonly lists: readonly JsonObject[]
  /** Lines of each watch, in turn; an error ends one, and so does the end of its lines. */
  readonly watches: readonly (readonly (string | Error)[])[]
}

/** Plays a script; gives what was asked for, every state that was told, and what went wrong. Ends with the script. */
async function play({ lists, watches }: Script): Promise<{ asked: string[]; states: string[][]; faults: string[] }> {
  const ending = new AbortController()
  const asked: string[] = []
  const states: string[][] = []
  const faults: string[] = []
  let list = 0
  let turn = 0
  const api: Api = {
    server: 'https://10.0.0.5:6443',
    send: () => Promise.reject(new Error('not in this test')),
    get: async path => {
      asked.push(path)
      return lists[list++]
    },
    lines: async (path, onLine) => {
      asked.push(path)
      const lines = watches[turn++]
      if (lines === undefined) return ending.abort()
      for (const line of lines) {
        if (line instanceof Error) throw line
        onLine(line)
        await new Promise(resolve => setImmediate(resolve))
      }
    },
    close: () => {},
  }
  await follow(
    () => api,
    {
      collection: '/api/v1/nodes',
      keep: ({ metadata }) => String((metadata as JsonObject).name),
      onState: async names => {
        states.push([...names])
      },
      onFault: reason => faults.push(reason),
    },
    ending.signal,
  )
  return { asked, states, faults }
}

const one = { metadata: { resourceVersion: '5' }, items: [object('a', 3)] }

test('a list, then every change', async () => {
  const { asked, states } = await play({
    lists: [one],
    watches: [[event('ADDED', object('b', 6)), event('MODIFIED', object('a', 7)), event('DELETED', object('b', 8))]],
  })
  assert.deepEqual(states, [['a'], ['a', 'b'], ['a', 'b'], ['a']])
  assert.deepEqual(asked.slice(0, 2), [
    '/api/v1/nodes?limit=100',
    '/api/v1/nodes?watch=1&allowWatchBookmarks=true&resourceVersion=5',
  ])
  assert.match(asked[2] ?? '', /resourceVersion=8$/)
})

test('a bookmark is no change, but counts for the next connection', async () => {
  const { asked, states } = await play({ lists: [one], watches: [[event('BOOKMARK', object('', 90))]] })
  assert.deepEqual(states, [['a']])
  assert.match(asked.at(-1) ?? '', /resourceVersion=90$/)
})

test('a connection that breaks goes on where it was', async () => {
  const { asked, faults } = await play({
    lists: [one],
    watches: [[event('ADDED', object('b', 6)), new ApiError('api: cannot read: gone', 0)]],
  })
  assert.deepEqual(faults, ['api: cannot read: gone'])
  assert.equal(asked.filter(path => path.includes('limit')).length, 1)
  assert.match(asked.at(-1) ?? '', /resourceVersion=6$/)
})

for (const [name, end] of [
  ['refused', new ApiError('api: cannot GET: too old', 410)],
  ['told', event('ERROR', { code: 410, message: 'too old' })],
] as const) {
  test(`what is too old is listed again, ${name}`, async () => {
    const two = { metadata: { resourceVersion: '50' }, items: [object('c', 40)] }
    const { asked, states } = await play({ lists: [one, two], watches: [[end]] })
    assert.deepEqual(states.at(-1), ['c'])
    assert.match(asked.at(-1) ?? '', /resourceVersion=50$/)
  })
}

test('a long list comes in pages', async () => {
  const first = { metadata: { continue: 'x y' }, items: [object('a', 1)] }
  const { asked, states } = await play({
    lists: [first, { metadata: { resourceVersion: '9' }, items: [object('b', 2)] }],
    watches: [],
  })
  assert.deepEqual(states, [['a', 'b']])
  assert.equal(asked[1], '/api/v1/nodes?limit=100&continue=x%20y')
})
