import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HostSource } from '../../lib/machine/host/host-source.ts'
import { leftoverNetworks, networkOfFile } from '../../lib/machine/network/other-networks.ts'
import { openHost, verdictsOn } from './preflight-hosts.ts'

describe('interfaces of other Pod networks are recognised, and no others', () => {
  const rows: readonly (readonly [link: string, name: string | undefined])[] = [
    ['flannel.1', 'flannel'],
    ['flannel-v6.1', 'flannel'],
    ['cali0123456789a', 'Calico'],
    ['vxlan.calico', 'Calico'],
    ['cilium_host', 'Cilium'],
    ['lxc_health', 'Cilium'],
    ['weave', 'Weave Net'],
    ['vxlan-6784', 'Weave Net'],
    ['kube-bridge', 'kube-router'],
    ['antrea-gw0', 'Antrea'],
    ['cni0', undefined],
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
      .map(({ status, found, fix }) => `${status} ${found}; ${fix}`)

  test('its interfaces', async () => {
    const host = withNetwork(openHost('github-24.04'), ['lo', 'eth0', 'flannel.1', 'flannel-v6.1'])
    const [row] = await rowsOf(host)
    assert.match(row ?? '', /^warning flannel\.1, flannel-v6\.1 \(flannel\) stand here/)
    assert.match(row ?? '', /clears them: ip link delete flannel\.1 && ip link delete flannel-v6\.1$/)
    assert.deepEqual(await rowsOf(host, { cni: 'none' }), [])
    assert.deepEqual(await rowsOf(withNetwork(openHost('github-24.04'), ['lo', 'eth0', 'docker0'])), [])
  })

  test('its bridge, which the bridge plugin would refuse', async () => {
    const bridgeRow = async (flags = {}): Promise<string> => {
      const rows = await verdictsOn(openHost('crowded'), flags)
      const row = rows.find(({ name, found }) => name === 'NetworkRanges' && found.startsWith('the bridge'))
      return row === undefined ? '' : `${row.status} ${row.found}; ${row.fix}`
    }
    assert.match(await bridgeRow(), /^error the bridge cni0 has an address of 10\.244\.0\.0\/24, .*ip link delete cni0/)
    assert.equal(await bridgeRow({ 'pod-network-cidr': '10.244.0.0/24' }), '')
    assert.equal(await bridgeRow({ cni: 'none' }), '')
  })

  test('its routes in the range of Pods', async () => {
    const host = openHost('crowded')
    const route = (text = ''): string => text.replaceAll('br-4f2', 'flannel.1')
    const rows = await verdictsOn({
      ...host,
      read: path => (path === '/proc/net/route' ? route(host.read(path)) : host.read(path)),
    })
    const row = rows.find(({ name, found }) => name === 'NetworkRanges' && found.includes('(flannel.1)'))
    assert.match(row?.fix ?? '', /^clear what .* left: ip link delete flannel\.1; or choose another range/)
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
