import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HostSource } from '../../lib/host/source.ts'
import { leftoverNetworks, networkOfFile } from '../../lib/network/other-networks.ts'
import { openHost, verdictsOn } from './preflight-hosts.ts'

describe('interfaces of other Pod networks are recognised, and no others', () => {
  const rows: readonly (readonly [link: string, name: string | undefined])[] = [
    ['flannel.1', 'flannel'],
    ['flannel-v6.1', 'flannel'],
    ['cni0', 'a network with a bridge'],
    ['cali0123456789a', 'Calico'],
    ['vxlan.calico', 'Calico'],
    ['cilium_host', 'Cilium'],
    ['lxc_health', 'Cilium'],
    ['weave', 'Weave Net'],
    ['vxlan-6784', 'Weave Net'],
    ['kube-bridge', 'kube-router'],
    ['antrea-gw0', 'Antrea'],
    ['lo', undefined],
    ['eth0', undefined],
    ['docker0', undefined],
    ['br-0123456789ab', undefined],
    ['veth0a1b2c3', undefined],
    ['tunl0', undefined],
    ['lxcbr0', undefined],
    ['calico-test', undefined],
  ]
  for (const [link, name] of rows) {
    test(link, () => assert.equal(leftoverNetworks([link])[0]?.name, name))
  }
})

test('files for the runtime are recognised by their usual names', () => {
  assert.equal(networkOfFile('10-flannel.conflist'), 'flannel')
  assert.equal(networkOfFile('05-cilium.conflist'), 'Cilium')
  assert.equal(networkOfFile('10-calico.conflist'), 'Calico')
  assert.equal(networkOfFile('87-podman-bridge.conflist'), undefined)
})

/** A host with some interfaces and files of networks more. */
function withNetwork(host: HostSource, links: readonly string[], files: readonly string[] = []): HostSource {
  const more: Readonly<Record<string, readonly string[]>> = { '/sys/class/net': links, '/etc/cni/net.d': files }
  return { ...host, list: path => more[path] ?? host.list(path) }
}

describe('preflight names the command that clears what another network has left', () => {
  const rowsOf = async (host: HostSource, flags = {}): Promise<readonly string[]> =>
    (await verdictsOn(host, flags))
      .filter(({ name, status }) => name === 'CNIConfig' && status !== 'ok')
      .map(({ status, found, mend }) => `${status} ${found}; ${mend}`)

  test('its interfaces', async () => {
    const host = withNetwork(openHost('github-24.04'), ['lo', 'eth0', 'flannel.1', 'cni0'])
    const [row] = await rowsOf(host)
    assert.match(row ?? '', /^warning flannel\.1 \(flannel\), cni0 .* stand here/)
    assert.match(row ?? '', /clears them: ip link delete flannel\.1 && ip link delete cni0$/)
    assert.deepEqual(await rowsOf(host, { cni: 'none' }), [])
    assert.deepEqual(await rowsOf(withNetwork(openHost('github-24.04'), ['lo', 'eth0', 'docker0'])), [])
  })

  test('its routes in the range of Pods', async () => {
    const rows = await verdictsOn(openHost('crowded'))
    const row = rows.find(({ name, found }) => name === 'NetworkRanges' && found.includes('(cni0)'))
    assert.match(row?.mend ?? '', /^clear what .* left: ip link delete cni0; or choose another range/)
  })

  test('its files', async () => {
    const host = withNetwork(
      openHost('rhel-9'),
      ['lo'],
      ['00-a.conflist', '0-a.conflist', '0-0.conflist', '10-flannel.conflist'],
    )
    const rows = await rowsOf(host)
    assert.match(rows.join(), /10-flannel\.conflist \(flannel\)/)
  })
})
