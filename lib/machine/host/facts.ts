/**
 * What init and reset need to know of the machine, read once. Phases take these facts as a value,
 * so that they can be tested with any machine.
 */
import type { EnvVar } from '../../base/kubeadm.ts'

export interface HostFacts {
  /** As the kernel has it; trimmed and lower-cased by whoever needs a node name. */
  readonly hostname: string
  /** Which of the CA directories that static Pods mount exist, e.g. `/etc/ca-certificates`. */
  readonly directories: readonly string[]
  /** The `*_proxy` variables of this process, non-empty, sorted by name. */
  readonly proxyEnvironment: readonly EnvVar[]
  /** Whether systemd-resolved serves this host. */
  readonly systemdResolved: boolean
  /** CRI sockets of the known list that exist, as `unix://` URLs. */
  readonly criSockets: readonly string[]
  /** Global unicast address of the interface with the default route, by family; absent when there is none. */
  readonly defaultAddress: { readonly ipv4?: string; readonly ipv6?: string }
  /** Global unicast addresses of `lo`. */
  readonly loopbackAddress: { readonly ipv4?: string; readonly ipv6?: string }
}
