/** Item `packages`: programs that a cluster needs and the machine lacks, with its own package manager. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { pluginFolder } from '../../machine/host/cni-plugins.ts'
import {
  CNI_PLUGINS,
  HOST_PROGRAMS,
  type HostProgram,
  missingPrograms,
  packageManager,
  packagesOf,
} from '../../machine/host/host-packages.ts'
import { CRI_SOCKETS } from '../../machine/host/read-facts.ts'
import { proxyModeOf } from '../../machine/network/proxy-mode.ts'
import type { Finding, PrepareContext } from './prepare-item.ts'

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
  const lacks = `the machine lacks ${wanted}`
  // Whoever asked for it has to learn that it cannot be; for an init it may still come from elsewhere.
  const cannot = (reason: string, isFault: boolean): Finding =>
    isFault
      ? { changes: [], faults: [`cannot install packages: ${lacks}; ${reason}`] }
      : { changes: [], notes: [`${lacks}; ${reason}`] }
  if (manager === undefined) {
    return cannot('install that by hand: there is no apt, dnf, yum or apk', asked || install)
  }
  const packages = packagesOf(missing, manager)
  if (install && live) return { changes: [{ kind: 'packages', manager: manager.name, names: packages }] }
  const command = [...manager.install.slice(0, 2), ...packages].join(' ')
  return cannot(`${live ? 'add --install, or run' : 'run there'} "${command}"`, asked)
}
