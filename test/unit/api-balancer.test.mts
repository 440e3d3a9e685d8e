/** API servers behind one address: who gets a connection, and who loses those that it has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asked,
  type Backend,
  type BackendState,
  candidates,
  distinct,
  knownStates,
  lost,
  serversIn,
} from '../../lib/cluster/api-balancer/backends.ts'

const backend = (host: string): Backend => ({ host, port: 6443 })
const state = (host: string, misses: number): BackendState => ({ ...backend(host), misses })
const hosts = (all: readonly Backend[]): string[] => all.map(({ host }) => host)

test('those that are ready take connections in turn', () => {
  const states = knownStates([backend('a'), backend('b'), backend('c')], [])
  assert.deepEqual(
    [0, 1, 2, 3].map(turn => hosts(candidates(states, turn)).join('')),
    ['abc', 'bca', 'cab', 'abc'],
  )
})

test('those that are not ready are tried last, the worst at the end', () => {
  assert.deepEqual(hosts(candidates([state('a', 7), state('b', 1), state('c', 0)], 1)), ['c', 'b', 'a'])
  assert.deepEqual(hosts(candidates([state('a', 2), state('b', 1)], 5)), ['b', 'a'])
})

test('who does not answer twice loses its connections, if another is ready', () => {
  assert.deepEqual(hosts(lost([state('a', 1), state('b', 0)])), [])
  assert.deepEqual(hosts(lost([state('a', 2), state('b', 0)])), ['a'])
  assert.deepEqual(hosts(lost([state('a', 9), state('b', 1)])), [])
})

test('an answer makes good for all misses', () => {
  const states = [state('a', 3), state('b', 0)]
  assert.deepEqual(asked(states, backend('a'), true), [state('a', 0), state('b', 0)])
  assert.deepEqual(asked(states, backend('b'), false), [state('a', 3), state('b', 1)])
})

test('those that come begin well, those that go are forgotten', () => {
  assert.deepEqual(knownStates([backend('b'), backend('c')], [state('a', 1), state('b', 2)]), [
    state('b', 2),
    state('c', 0),
  ])
})

test('API servers of other machines are those that the cluster names, each once', () => {
  const endpoints = {
    subsets: [
      {
        addresses: [{ ip: '10.0.0.5' }, { ip: 'fd00::6', nodeName: 'x' }],
        notReadyAddresses: [{ ip: '10.0.0.9' }],
        ports: [
          { name: 'other', port: 1 },
          { name: 'https', port: 6443 },
        ],
      },
      { addresses: [{ ip: '10.0.0.7' }] },
    ],
  }
  assert.deepEqual(serversIn(endpoints), [backend('10.0.0.5'), backend('fd00::6')])
  assert.deepEqual(serversIn({ metadata: { name: 'kubernetes' } }), [])
  assert.deepEqual(distinct([backend('a'), backend('b'), { host: 'a', port: 1 }, backend('a')]), [
    backend('a'),
    backend('b'),
    { host: 'a', port: 1 },
  ])
})
