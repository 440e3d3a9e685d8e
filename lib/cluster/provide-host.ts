/**
 * What an init needs of the machine before it looks for a runtime: a kernel that can run kube-proxy in its mode,
 * programs, and modules. Each change is in the journal before it is made.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../command.ts'
import type { InitConfig } from '../config/types.ts'
import { KubestepError } from '../errors.ts'
import { CNI_PROGRAMS, pluginFolder } from '../host/cni-plugins.ts'
import { featureOf, featureState, type Kernel, readKernel } from '../host/kernel-features.ts'
import {
  CNI_PLUGINS,
  type HostProgram,
  hasProgram,
  missingPrograms,
  packageManager,
  packagesOf,
} from '../host/packages.ts'
import { type HostSource, liveHost } from '../host/source.ts'
import type { Journal } from '../journal.ts'
import { checkProxyMode, ipvsSchedulers, proxyModeOf } from '../network/proxy-mode.ts'
import type { Phase } from '../phase.ts'
import { installPackages } from '../prepare/install.ts'
import { NODE_MODULES } from '../prepare/modules.ts'
import { neededPrograms } from '../prepare/packages.ts'
import type { Call } from '../script.ts'
import { wantsNetwork } from './pod-network.ts'

/** Throws a KubestepError when the mode of kube-proxy cannot work here, or programs are missing and may not be installed. */
export async function provideHost(phase: Phase, { flags, output }: Call, journal: Journal): Promise<void> {
  const { config } = phase
  const host = liveHost()
  const kernel = readKernel(host)
  for (const notice of checkProxyMode(config, kernel)) output.warn(notice)

  const wanted = flags.runtime ?? phase.namedSocket ?? 'auto'
  const hasRuntime = wanted === 'auto' ? phase.facts.criSockets.length > 0 : wanted !== 'private'
  const missing = [
    ...missingPrograms(host, neededPrograms(config, hasRuntime)),
    ...(wantsNetwork(flags.cni) && !hasPlugins(host, flags.artifacts) ? [CNI_PLUGINS] : []),
  ]
  if (missing.length > 0) {
    const packages = packagesToInstall(host, missing, flags.install ?? false)
    journal.record({ kind: 'packages', ...packages })
    output.say(`[init] Installing ${packages.names.join(', ')} with ${packages.manager}; reset leaves them there`)
    await installPackages(packages.manager, packages.names)
  }
  await loadModules(config, kernel, journal, output.warn)
}

// Without --artifacts plugins are downloaded with everything else.
function hasPlugins(host: HostSource, artifacts: string | undefined): boolean {
  if (artifacts === undefined || pluginFolder(host) !== undefined) return true
  return CNI_PROGRAMS.every(program => existsSync(join(artifacts, 'cni/bin', program)))
}

function packagesToInstall(
  host: HostSource,
  missing: readonly HostProgram[],
  mayInstall: boolean,
): { manager: NonNullable<ReturnType<typeof packageManager>>['name']; names: string[] } {
  const what = missing.map(({ programs, why }) => `${programs.join(', ')} (${why})`).join('; ')
  const cannot = `init: cannot use this machine as it is: it lacks ${what}`
  const manager = packageManager(host)
  if (manager === undefined) {
    throw new KubestepError(`${cannot}; install that by hand: there is no apt, dnf, yum or apk`)
  }
  const names = packagesOf(missing, manager)
  if (!mayInstall) {
    throw new KubestepError(`${cannot}; add --install, or install the packages ${names.join(', ')} yourself`)
  }
  return { manager: manager.name, names }
}

/** Loads what the kernel has as modules; what it lacks altogether is said, because it may still do for some. */
async function loadModules(
  { cluster, kubeProxy }: InitConfig,
  kernel: Kernel,
  journal: Journal,
  warn: (line: string) => void,
): Promise<void> {
  const isIpvs = proxyModeOf({ cluster, kubeProxy })?.name === 'ipvs'
  const names = [...NODE_MODULES, ...(isIpvs ? ['ip_vs', ...ipvsSchedulers(kubeProxy.document)] : [])]
  const states = names.map(name => ({ name, feature: featureOf(name), state: featureState(featureOf(name), kernel) }))
  for (const { name, feature, state } of states) {
    if (state === 'missing') warn(`[init] This kernel lacks ${name} (CONFIG_${feature.option}): ${feature.lost}`)
  }
  const loadable = states.filter(({ state }) => state === 'loadable').map(({ name }) => name)
  if (loadable.length === 0 || !hasProgram(kernel.host, 'modprobe')) return
  journal.record(...loadable.map(name => ({ kind: 'module', name }) as const))
  for (const name of loadable) {
    const { exitCode, stderr } = await run(['modprobe', name])
    if (exitCode !== 0) warn(`[init] Cannot load kernel module ${name}: ${stderr.trim()}`)
  }
}
