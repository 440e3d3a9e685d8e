import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { $, quote, which } from '../../lib/machine/command.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))

const skip =
  process.getuid?.() !== 0
    ? 'needs root for a network namespace of its own'
    : ['nft', 'ipset', 'iptables', 'unshare'].some(name => which(name) === undefined)
      ? 'nft, ipset, iptables or unshare is not installed'
      : false

test('removeLeftovers() takes tables and sets of kube-proxy, and keeps what was there before and what is not its own', {
  skip,
}, async () => {
  const program = `
    import { presentLeftovers, removeLeftovers } from './lib/machine/network/proxy-leftovers.ts'
    import { removeRules } from './lib/machine/network/firewall-chains.ts'
    const found = await presentLeftovers()
    await removeRules([])
    await removeLeftovers(['set KUBE-OLD'])
    console.log(JSON.stringify({ found, left: await presentLeftovers() }))`
  const script = `
    nft add table ip kube-proxy; nft add table ip6 kube-proxy; nft add table inet kube-proxy; nft add table ip mine
    nft 'add chain ip kube-proxy services { type filter hook output priority 0; }'
    ipset create KUBE-OLD hash:ip; ipset create KUBE-CLUSTER-IP hash:ip,port; ipset create mine hash:ip
    iptables -N KUBE-FORWARD; iptables -A FORWARD -j KUBE-FORWARD
    iptables -A KUBE-FORWARD -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
    cd ${quote(ROOT)}; ${quote(process.execPath)} --import ${quote(TSX)} --input-type=module -e ${quote(program)}
    nft list tables; ipset list -name`
  const { stdout } = await $`unshare --net /bin/sh -ec ${script}`
  const [json = '', ...rest] = stdout.trim().split('\n')
  assert.deepEqual(JSON.parse(json), {
    found: ['table ip kube-proxy', 'table ip6 kube-proxy', 'set KUBE-OLD', 'set KUBE-CLUSTER-IP'],
    left: ['set KUBE-OLD'],
  })
  assert.ok(rest.includes('table inet kube-proxy') && rest.includes('table ip mine') && rest.includes('mine'))
})
