/** CNI plugins that a distribution brought. */
import type { HostSource } from './host-source.ts'

/** Where distributions and runtimes keep CNI plugins. Source: Debian containernetworking-plugins; CNI conventions. */
const CNI_FOLDERS: readonly string[] = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']

/** Plugins that the Pod network of kubestep is made of. */
export const CNI_PROGRAMS: readonly string[] = ['bridge', 'host-local', 'loopback', 'portmap']

/** The folder that holds all of them, and that on this machine only root can write; undefined when there is none. */
export function pluginFolder(host: HostSource): string | undefined {
  return CNI_FOLDERS.find(folder =>
    CNI_PROGRAMS.every(program => {
      const path = `${folder}/${program}`
      // A runtime starts them as root. A recorded machine does not tell.
      return host.kind(path) === 'file' && host.isRoots?.(path) !== false
    }),
  )
}
