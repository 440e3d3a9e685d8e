/** The machine on which the golden trees were made (test/golden/README.md). */
import type { HostFacts } from '../lib/machine/host/facts.ts'

export const GOLDEN_FACTS: HostFacts = {
  hostname: 'vm',
  directories: ['/etc/ca-certificates', '/usr/share/ca-certificates', '/usr/local/share/ca-certificates'],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}
