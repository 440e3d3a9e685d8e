/** Item `packages`: programs that a cluster needs and the machine lacks, with its own package manager. */
import type { InitConfig } from '../config/types.ts'
import { pluginFolder } from '../host/cni-plugins.ts'
import {
  CNI_PLUGINS,
  HOST_PROGRAMS,
  type HostProgram,
  missingPrograms,
  packageManager,
  packagesOf,
} from '../host/packages.ts'
import { CRI_SOCKETS } from '../host/read.ts'
import { proxyModeOf } from '../network/proxy-mode.ts'
import { isSince } from '../version.ts'
import type { Finding, PrepareContext } from './item.ts'

/** Programs that an init of ours runs, by the names of their rows. */
export function neededPrograms(config: Pick<InitConfig, 'cluster' | 'kubeProxy'>, hasRuntime: boolean): string[] {
  const proxy = proxyModeOf(config)?.programs ?? ['iptables']
  return [...(hasRuntime ? [] : ['containerd', 'runc']), ...proxy, 'ip', 'mount']
}

export async function findPackages(context: PrepareContext, asked: boolean): Promise<Finding> {
  const { host, config } = context
  const hasRuntime = CRI_SOCKETS.some(path => host.kind(path) === 'socket')
  // kubeadm's own preflight looks for more; whoever names the item gets that too.
  const looked = HOST_PROGRAMS.filter(({ until }) => asked && until !== undefined && !isSince(config.version, until))
  const names = [...neededPrograms(config, hasRuntime), ...looked.map(({ programs }) => programs[0] ?? '')]
  return findPrograms(context, asked, names, pluginFolder(host) === undefined ? [CNI_PLUGINS] : [])
}

/** Installs what is missing of these programs, or says what would have to be installed. */
export function findPrograms(
  { host, live, install }: PrepareContext,
  asked: boolean,
  names: readonly string[],
  besides: readonly HostProgram[] = [],
): Finding {
  const missing = [...missingPrograms(host, names), ...besides]
  if (missing.length === 0) return { changes: [] }
  const manager = packageManager(host)
  const wanted = missing.map(({ programs, why }) => `${programs[0]} (${why})`).join(', ')
  if (manager === undefined) {
    return {
      changes: [],
      faults: [`cannot install ${wanted}: the machine has no apt, dnf, yum or apk; install them by hand`],
    }
  }
  const packages = packagesOf(missing, manager)
  const command = `${manager.install.slice(0, 2).join(' ')} ${packages.join(' ')}`
  if (install && live) return { changes: [{ kind: 'packages', manager: manager.name, names: packages }] }
  const missingText = `the machine lacks ${wanted}; ${live ? 'add --install, or run' : 'run there'} "${command}"`
  return asked ? { changes: [], faults: [`cannot go on: ${missingText}`] } : { changes: [], notes: [missingText] }
}
