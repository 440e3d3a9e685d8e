import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { stringify } from '../../lib/base/yaml.ts'
import { validateConfig } from '../../lib/kubeadm/config/config-file.ts'
import { type LoadedInit, loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import {
  COMPONENT_DEFAULTS,
  initDefaults,
  joinDefaults,
  resetDefaults,
  upgradeDefaults,
} from '../../lib/kubeadm/config/print-defaults.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'
import { openHost, verdictsOn } from './preflight-hosts.ts'

const FACTS: HostFacts = {
  hostname: 'host',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.9' },
  loopbackAddress: {},
}

const printed = (kinds: readonly string[]): string => initDefaults(FACTS, kinds).map(stringify).join('---\n')
const PLAIN = printed([])
const WHOLE = printed(Object.keys(COMPONENT_DEFAULTS))

describe('what config print prints, unchanged, is refused by no machine that takes no file at all', () => {
  for (const name of ['github-24.04', 'debian-12-no-systemd', 'debian-13', 'rhel-9', 'alpine-3.22', 'crowded']) {
    test(name, async () => {
      const errors = async (text?: string): Promise<readonly string[]> =>
        (await verdictsOn(openHost(name), {}, text))
          .filter(({ status }) => status === 'error')
          .map(row => `${row.name}: ${row.found}`)
      const without = await errors()
      assert.deepEqual(await errors(PLAIN), without)
      assert.deepEqual(await errors(WHOLE), without)
    })
  }

  test('and it validates', () => {
    const texts = [
      PLAIN,
      WHOLE,
      ...[joinDefaults, resetDefaults, upgradeDefaults].map(print => stringify(print(FACTS))),
    ]
    for (const text of texts) assert.ok(validateConfig({ text, detectCriSocket: false }, FACTS))
  })

  test("as does real kubeadm's", () => {
    const text = readFileSync(
      new URL('../golden/v1.36.2/config/init-defaults-components.yaml', import.meta.url),
      'utf8',
    )
    assert.equal(load(text).config.kubelet.userSupplied, false)
    assert.equal(load(text.replace('syncFrequency: 0s', 'syncFrequency: 1m')).config.kubelet.userSupplied, true)
  })
})

function load(text: string, facts: HostFacts = FACTS, dryRun = false): LoadedInit {
  return loadInitConfig({ text, file: 'f.yaml', flags: { 'dry-run': dryRun } }, facts)
}

describe('the address', () => {
  const addressOf = ({ config }: LoadedInit): string => config.init.localAPIEndpoint.advertiseAddress

  test('is that of the machine, and a notice says so', () => {
    const loaded = load(PLAIN)
    assert.equal(addressOf(loaded), '10.0.0.9')
    assert.match(loaded.notices.join('\n'), /advertiseAddress "1\.2\.3\.4" stands for .*: 10\.0\.0\.9 is taken/)
  })

  test('stays in what a dry run writes, as with kubeadm', () => {
    const loaded = load(PLAIN, FACTS, true)
    assert.equal(addressOf(loaded), '1.2.3.4')
    assert.match(loaded.notices.join('\n'), /a real run takes 10\.0\.0\.9/)
  })

  test('stays where the machine has it, and every other one', () => {
    assert.equal(addressOf(load(PLAIN, { ...FACTS, defaultAddress: { ipv4: '1.2.3.4' } })), '1.2.3.4')
    assert.equal(addressOf(load(PLAIN.replace('1.2.3.4', '1.2.3.5'))), '1.2.3.5')
  })
})

describe('the socket', () => {
  const named = (socket: string, version = 'v1.36.2', facts: HostFacts = FACTS): LoadedInit =>
    load(
      `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
nodeRegistration: {criSocket: "${socket}"}
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: ${version}
`,
      facts,
    )

  for (const socket of ['/var/run/dockershim.sock', 'unix:///var/run/dockershim.sock', '/run/dockershim.sock']) {
    test(`${socket} is nobody's choice`, () => {
      for (const version of ['v1.20.2', 'v1.22.0', 'v1.24.0', 'v1.36.2']) {
        const { namedSocket, notices } = named(socket, version)
        assert.equal(namedSocket, undefined)
        assert.match(notices.join('\n'), /dockershim\.sock" is a default that is printed/)
      }
      // What kubeadm of such a release writes when nobody says anything.
      assert.equal(named(socket, 'v1.22.0').config.init.nodeRegistration.criSocket, socket)
      assert.match(named(socket).config.init.nodeRegistration.criSocket, /containerd\.sock$/)
    })
  }

  for (const socket of ['/run/containerd/containerd.sock', 'unix:///var/run/containerd/containerd.sock']) {
    test(`${socket} is taken where it serves, and else does as if nothing was said`, () => {
      assert.equal(named(socket).namedSocket, undefined)
      assert.match(named(socket).notices.join('\n'), /nothing is there: it counts as not set/)
      const there = named(socket, 'v1.36.2', { ...FACTS, criSockets: ['unix:///var/run/containerd/containerd.sock'] })
      assert.doesNotMatch(there.notices.join('\n'), /counts as not set/)
    })
  }

  test('any other one is a choice, and so is every flag', () => {
    assert.equal(named('unix:///var/run/crio/crio.sock').namedSocket, 'unix:///var/run/crio/crio.sock')
    const flag = { 'cri-socket': 'unix:///var/run/containerd/containerd.sock' }
    assert.equal(loadInitConfig({ flags: flag }, FACTS).namedSocket, flag['cri-socket'])
  })
})

test('the token of the examples is spoken of, and not shown', () => {
  const said = load(PLAIN).notices.join('\n')
  assert.match(said, /bootstrapTokens has the token of the examples/)
  assert.doesNotMatch(said, /0123456789abcdef/)
  assert.doesNotMatch(load(PLAIN.replace('0123456789abcdef', '0123456789abcdea')).notices.join('\n'), /examples/)
})
