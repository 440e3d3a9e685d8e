/** The facts of a host that rendering and configuration go by: the part of its reading that takes no process. */
import type { EnvVar } from '../../base/kubeadm.ts'
import { defaultRouteInterfaces4, defaultRouteInterfaces6, globalAddresses } from './addresses.ts'
import type { HostFacts } from './facts.ts'
import { type HostSource, liveHost } from './host-source.ts'

/** Folders whose presence decides what static Pods mount. Source: kubeadm phases/controlplane/volumes.go (v1.36); /etc/pki itself until kubeadm 1.2x. */
export const CA_DIRECTORIES: readonly string[] = [
  '/etc/pki',
  '/etc/pki/ca-trust',
  '/etc/pki/tls/certs',
  '/etc/ca-certificates',
  '/usr/share/ca-certificates',
  '/usr/local/share/ca-certificates',
]

/** Known sockets in the order kubeadm tries them. Source: kubeadm constants_unix.go, util/runtime (v1.36). */
export const CRI_SOCKETS: readonly string[] = [
  '/var/run/containerd/containerd.sock',
  '/var/run/crio/crio.sock',
  '/var/run/cri-dockerd.sock',
]

/** Reads this machine; files are looked for below `root`. Nothing here fails: what cannot be read counts as absent. */
export function readHostFacts(root: string): HostFacts {
  return hostFacts(liveHost(root))
}

/** Addresses that no machine has. Source: RFC 5737, RFC 3849. */
export const NO_MACHINE_ADDRESS = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' } as const

/**
 * The same for a configuration that is not for this very machine, as a list of images: a name and addresses of no
 * machine, so that one without either will do.
 */
export function readFactsAnywhere(): HostFacts {
  return { ...readHostFacts('/'), hostname: 'node', defaultAddress: NO_MACHINE_ADDRESS }
}

/** The same as readHostFacts from any source, and as quickly: no process is started. */
export function hostFacts(source: HostSource): HostFacts {
  const addresses = source.addresses()
  const routes4 = defaultRouteInterfaces4(source.read('/proc/net/route') ?? '')
  const routes6 = defaultRouteInterfaces6(source.read('/proc/net/ipv6_route') ?? '')
  const { ipv4 } = globalAddresses(addresses, routes4)
  const { ipv6 } = globalAddresses(addresses, routes6)
  return {
    hostname: source.hostName(),
    directories: CA_DIRECTORIES.filter(path => source.kind(path) === 'folder'),
    proxyEnvironment: proxyEnvironment(source.environment),
    systemdResolved:
      source.kind('/run/systemd/system') === 'folder' && source.kind('/run/systemd/resolve/resolv.conf') === 'file',
    criSockets: CRI_SOCKETS.filter(path => source.kind(path) === 'socket').map(path => `unix://${path}`),
    defaultAddress: { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) },
    loopbackAddress: globalAddresses(addresses, ['lo']),
  }
}

/** The `*_proxy` variables, sorted by name. Source: kubeadm util/env.go: name ends so in any case, value not empty. */
export function proxyEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvVar[] {
  return Object.entries(environment)
    .filter(([name, value]) => name.toLowerCase().endsWith('_proxy') && value !== undefined && value !== '')
    .map(([name, value]) => ({ name, value: value ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
