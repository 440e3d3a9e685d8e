import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEFTOVERS } from '../../lib/machine/network/proxy-leftovers.ts'

const OUTPUTS: Readonly<Record<string, readonly [output: string, names: readonly string[]]>> = {
  table: [
    'table ip filter\ntable ip kube-proxy\ntable inet kube-proxy\ntable ip6 kube-proxy\ntable ip kube-proxy-mine\n',
    ['ip kube-proxy', 'ip6 kube-proxy'],
  ],
  server: [
    '-A -t 10.96.0.1:443 -s rr\n-a -t 10.96.0.1:443 -r 192.0.2.2:6443 -m -w 1\n-A -u 10.96.0.10:53 -s rr -p 10800\n-A -t [fd01::1]:443 -s rr\n',
    ['-t 10.96.0.1:443', '-u 10.96.0.10:53', '-t [fd01::1]:443'],
  ],
  set: ['KUBE-CLUSTER-IP\nmine\nKUBE-6-CLUSTER-IP\n', ['KUBE-CLUSTER-IP', 'KUBE-6-CLUSTER-IP']],
}

for (const { kind, names, remove } of LEFTOVERS) {
  test(`LEFTOVERS: names of each ${kind} in what its program lists, and the command that removes one`, () => {
    const [output, wanted] = OUTPUTS[kind] ?? assert.fail(kind)
    assert.deepEqual(names(output), wanted)
    assert.deepEqual(names(''), [])
    assert.deepEqual(remove(wanted[0] ?? '').slice(-(wanted[0] ?? '').split(' ').length), (wanted[0] ?? '').split(' '))
  })
}
