/** CNI plugins that a distribution brought. */
import { NODE } from '../../base/paths.ts'
import type { HostSource } from './host-source.ts'

/** Plugins that the Pod network of kubestep is made of. */
export const CNI_PROGRAMS: readonly string[] = ['bridge', 'host-local', 'loopback', 'portmap']

/** The folder that holds all of them, and that on this machine only root can write; undefined when there is none. */
export function pluginFolder(host: HostSource): string | undefined {
  return NODE.cniBin.find(folder =>
    CNI_PROGRAMS.every(program => {
      const path = `${folder}/${program}`
      // A runtime starts them as root. A recorded machine does not tell.
      return host.kind(path) === 'file' && host.isRoots?.(path) !== false
    }),
  )
}
