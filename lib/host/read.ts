/** Reads the facts of this machine, once: the only place that looks at /proc, /run and the environment. */
import { existsSync, statSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import type { EnvVar } from '../config/types.ts'
import { below, readTextOrEmpty } from '../files.ts'
import {
  defaultRouteInterfaces4,
  defaultRouteInterfaces6,
  globalAddresses,
  type InterfaceAddress,
} from './addresses.ts'
import type { HostFacts } from './facts.ts'

/** Folders whose presence decides what static Pods mount. Source: rule book 4.5; /etc/pki itself until kubeadm 1.2x. */
export const CA_DIRECTORIES: readonly string[] = [
  '/etc/pki',
  '/etc/pki/ca-trust',
  '/etc/pki/tls/certs',
  '/etc/ca-certificates',
  '/usr/share/ca-certificates',
  '/usr/local/share/ca-certificates',
]

/** Known sockets in the order kubeadm tries them. Source: rule book 0.2. */
export const CRI_SOCKETS: readonly string[] = [
  '/var/run/containerd/containerd.sock',
  '/var/run/crio/crio.sock',
  '/var/run/cri-dockerd.sock',
]

/** Reads the machine; files are looked for below `root`. Nothing here fails: what cannot be read counts as absent. */
export function readHostFacts(root: string): HostFacts {
  const addresses = interfaceAddresses()
  const routes4 = defaultRouteInterfaces4(readTextOrEmpty('/proc/net/route'))
  const routes6 = defaultRouteInterfaces6(readTextOrEmpty('/proc/net/ipv6_route'))
  const { ipv4 } = globalAddresses(addresses, routes4)
  const { ipv6 } = globalAddresses(addresses, routes6)
  return {
    hostname: hostname(),
    directories: CA_DIRECTORIES.filter(path => isKind(below(root, path), 'isDirectory')),
    proxyEnvironment: proxyEnvironment(process.env),
    systemdResolved: existsSync('/run/systemd/system') && existsSync('/run/systemd/resolve/resolv.conf'),
    criSockets: CRI_SOCKETS.filter(path => isKind(below(root, path), 'isSocket')).map(path => `unix://${path}`),
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

function interfaceAddresses(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, entries]) =>
    (entries ?? []).map(({ family, address }) => ({ interfaceName, family: family as 'IPv4' | 'IPv6', address })),
  )
}

function isKind(path: string, kind: 'isDirectory' | 'isSocket'): boolean {
  try {
    return statSync(path)[kind]()
  } catch {
    return false
  }
}
