/** Kernel modules: loaded, built in, or there to be loaded. Pure parsing. */
import type { HostSource } from './host-source.ts'

/** What every node needs. Source: kubernetes.io, container runtimes; kube-proxy conntrack. */
export const NODE_MODULES: readonly string[] = ['overlay', 'br_netfilter', 'nf_conntrack']

export interface KernelModules {
  readonly loaded: ReadonlySet<string>
  readonly builtin: ReadonlySet<string>
  readonly loadable: ReadonlySet<string>
  /** Whether the folder of the running kernel's modules is there: without it the last two say nothing. */
  readonly isKnown: boolean
}

/** Names in /proc/modules. */
export function loadedModules(text: string): string[] {
  return text
    .split('\n')
    .map(line => moduleName(line.split(' ')[0] ?? ''))
    .filter(name => name !== '')
}

/** Names in modules.builtin (a path per line) and modules.dep (a path, a colon, what it needs). Source: modules.dep(5). */
export function listedModules(text: string): string[] {
  return text
    .split('\n')
    .map(line => moduleName((line.split(':')[0] ?? '').split('/').at(-1) ?? ''))
    .filter(name => name !== '')
}

/** A module's name as the kernel has it: without `.ko`, its compression, and dashes. */
export function moduleName(file: string): string {
  return file
    .trim()
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_')
}

/** Reads the modules of the running kernel. */
export function readModules(host: HostSource): KernelModules {
  const release = kernelRelease(host)
  const folder = ['/lib/modules', '/usr/lib/modules']
    .map(path => `${path}/${release}`)
    .find(path => host.kind(path) === 'folder')
  const listed = (name: string): string[] =>
    folder === undefined ? [] : listedModules(host.read(`${folder}/${name}`) ?? '')
  return {
    loaded: new Set(loadedModules(host.read('/proc/modules') ?? '')),
    builtin: new Set(listed('modules.builtin')),
    loadable: new Set(listed('modules.dep')),
    isKnown: folder !== undefined,
  }
}

/** E.g. `6.8.0-1064-azure`; empty when it cannot be read. */
export function kernelRelease(host: HostSource): string {
  return host.read('/proc/sys/kernel/osrelease')?.trim() ?? ''
}
