/** Kernel settings of a node: which ones a cluster needs, and which ones its components change by themselves. */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { explain } from '../files.ts'

export interface Sysctl {
  /** Dotted, e.g. `net.ipv4.ip_forward`. */
  readonly key: string
  /** What it has to be; absent where a component sets it and only the former value matters. */
  readonly value?: string
  readonly why: string
  /** Only where Pods or Services have IPv6 addresses. */
  readonly ipv6?: true
}

/**
 * Settings in the order in which they are made. A key that the kernel does not have is left out: the feature is
 * missing or its module is not loaded. Source: kubeadm preflight, kubelet cm/container_manager_linux.go
 * (setupKernelTunables), kube-proxy app/conntrack.go and iptables/proxier.go (v1.36).
 */
export const SYSCTLS: readonly Sysctl[] = [
  { key: 'net.ipv4.ip_forward', value: '1', why: 'Pods are reached by forwarding' },
  { key: 'net.ipv6.conf.all.forwarding', value: '1', why: 'Pods are reached by forwarding', ipv6: true },
  { key: 'net.ipv6.conf.default.forwarding', value: '1', why: 'Pods are reached by forwarding', ipv6: true },
  { key: 'net.bridge.bridge-nf-call-iptables', value: '1', why: 'Services of Pods on the same bridge' },
  { key: 'net.bridge.bridge-nf-call-ip6tables', value: '1', why: 'Services of Pods on the same bridge', ipv6: true },
  { key: 'vm.overcommit_memory', why: 'the kubelet sets it' },
  { key: 'vm.panic_on_oom', why: 'the kubelet sets it' },
  { key: 'kernel.panic', why: 'the kubelet sets it' },
  { key: 'kernel.panic_on_oops', why: 'the kubelet sets it' },
  { key: 'kernel.keys.root_maxkeys', why: 'the kubelet sets it' },
  { key: 'kernel.keys.root_maxbytes', why: 'the kubelet sets it' },
  { key: 'net.netfilter.nf_conntrack_max', why: 'kube-proxy sets it' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_established', why: 'kube-proxy sets it' },
  { key: 'net.netfilter.nf_conntrack_tcp_timeout_close_wait', why: 'kube-proxy sets it' },
  { key: 'net.ipv4.conf.all.route_localnet', why: 'kube-proxy sets it' },
]

/** Where the kernel shows a value. */
export function sysctlFile(key: string): string {
  return `/proc/sys/${key.replaceAll('.', '/')}`
}

/** The present value; undefined when the kernel does not have the key. */
export function readSysctl(key: string): string | undefined {
  try {
    return readFileSync(sysctlFile(key), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Whether anybody can set it here: of some, a network of its own shows what all have in common, and keeps it as it is. */
export function isSettable(key: string): boolean {
  try {
    accessSync(sysctlFile(key), constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Sets a value. Throws a KubestepError. */
export function writeSysctl(key: string, value: string): void {
  writeKernelFile(`sysctl "${key}"`, sysctlFile(key), value)
}

/** Writes to a file of the kernel's, as a whole and in place. Throws a KubestepError that names what was to be set. */
export function writeKernelFile(what: string, path: string, value: string): void {
  try {
    writeFileSync(path, value)
  } catch (error) {
    throw new KubestepError(`prepare: cannot set ${what} to ${value}: ${explainKernel(error, path)}`, { cause: error })
  }
}

// No other folder will do for a file of the kernel's.
function explainKernel(error: unknown, path: string): string {
  const place = path.startsWith('/proc/sys/') ? '/proc/sys' : dirname(path)
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EROFS':
      return `${place} is read-only; mount it read-write (in a container: --privileged)`
    case 'EACCES':
    case 'EPERM':
      return process.getuid?.() === 0
        ? 'the kernel does not let it be changed here; set it on the machine that this container or namespace is on'
        : 'permission denied; be root (sudo)'
    case 'EINVAL':
      return 'the kernel does not take that value; set it by hand'
    default:
      return explain(error)
  }
}
