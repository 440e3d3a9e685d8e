import assert from 'node:assert/strict'
import { test } from 'node:test'
import { $, which } from '../../lib/machine/command.ts'
import { CHAINS, removalText, restoreText } from '../../lib/machine/network/firewall-rules.ts'

const skip =
  process.getuid?.() !== 0
    ? 'needs root for a network namespace of its own'
    : which('iptables') === undefined || which('unshare') === undefined
      ? 'iptables or unshare is not installed'
      : false

/** Runs a shell script in a network namespace that ends with it. */
async function inNamespace(script: string, input: string): Promise<string> {
  return (await $({ input })`unshare --net /bin/sh -ec ${script}`).stdout
}

test('restoreText() is what iptables-restore takes, and removalText() takes all of it away again', {
  skip,
}, async () => {
  const text = restoreText({ family: 4, podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/12', ports: [6443] })
  const entries = CHAINS.map(
    ({ table, chain, from }) => `iptables -t ${table} -I ${from} 1 -m comment --comment kubestep -j ${chain}`,
  ).join('\n')
  const cluster = `
    iptables -t nat -N KUBE-SERVICES; iptables -t nat -A PREROUTING -j KUBE-SERVICES
    iptables -t nat -N KUBE-SVC-X; iptables -t nat -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/x has a -j in it" -j KUBE-SVC-X
    iptables -t nat -N CNI-0a1b2c3d4e5f6071829304a5; iptables -t nat -A POSTROUTING -s 10.244.0.3/32 -m comment --comment "name: \\"kubestep\\" id: \\"1\\"" -j CNI-0a1b2c3d4e5f6071829304a5
    iptables -t nat -N KUBE-USERS; iptables -N MINE; iptables -A FORWARD -j MINE`
  const made = await inNamespace(`iptables-restore --noflush\n${entries}\n${cluster}\niptables-save`, text)
  assert.match(made, /-A KUBESTEP-INPUT -s 10\.244\.0\.0\/16 -i \S+ -p tcp -m tcp --dport 6443 .* -j ACCEPT/)
  assert.match(made, /-A KUBESTEP-OUTPUT -d 10\.96\.0\.0\/12 ! -o lo .* -j REJECT/)
  const removal = removalText(made, ['nat KUBE-USERS'])
  assert.ok(removal !== undefined)
  const script = `cat >/tmp/kubestep-removal.$$; iptables-restore <<'END'\n${made}END\niptables-restore --noflush </tmp/kubestep-removal.$$; rm /tmp/kubestep-removal.$$; iptables-save`
  const left = await inNamespace(script, removal)
  assert.deepEqual(
    left.match(/^:?.*(KUBE|CNI|MINE).*$/gm)?.map(line => line.replace(/ \[.*/, '')),
    [':MINE -', '-A FORWARD -j MINE', ':KUBE-USERS -'],
  )
})

test('removalText() gives undefined where there is nothing of a cluster', { skip }, async () => {
  const saved = (await $({ nothrow: true })`unshare --net iptables-save`).stdout
  assert.equal(removalText(saved, []), undefined)
})
