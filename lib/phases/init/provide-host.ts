/** What an init does to the machine before it looks for a runtime. Each change is in the journal before it is made. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, Reason } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Call } from '../../cli/script.ts'
import { $ } from '../../machine/command.ts'
import { CNI_PROGRAMS, pluginFolder } from '../../machine/host/cni-plugins.ts'
import {
  CNI_PLUGINS,
  type HostProgram,
  hasProgram,
  missingPrograms,
  packageManager,
  packagesOf,
} from '../../machine/host/host-packages.ts'
import { type HostSource, liveHost } from '../../machine/host/host-source.ts'
import { featureOf, featureState, type Kernel, readKernel } from '../../machine/host/kernel-features.ts'
import { NODE_MODULES } from '../../machine/host/kernel-modules.ts'
import type { Journal } from '../../machine/journal.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { checkProxyMode, ipvsSchedulers, proxyModeOf } from '../../machine/network/proxy-mode.ts'
import { candidatesOf, wantedRuntime } from '../../supply/runtime/runtime-choice.ts'
import { installPackages } from '../prepare/install.ts'
import { neededPrograms } from '../prepare/packages.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import { addonPrograms } from './addon-plan.ts'

/**
 * Loads modules, and with --install installs what is missing. Preflight has refused what cannot work; what was ignored
 * or skipped there is said once more. Throws a KubestepError when packages cannot be installed.
 */
export async function provideHost(phase: OpenedPhase, { flags, output }: Call, journal: Journal): Promise<void> {
  const { config } = phase
  const host = liveHost()
  const kernel = readKernel(host)
  for (const notice of proxyNotices(config)) output.warn(notice)
  if (flags.install) {
    const wanted = wantedRuntime(flags.runtime, phase.namedSocket)
    const hasRuntime = candidatesOf(wanted, phase.facts.criSockets).sockets.length > 0
    const missing = [
      ...missingPrograms(host, [...neededPrograms(config, hasRuntime), ...addonPrograms(flags)]),
      ...(wantsNetwork(flags.cni) && !hasPlugins(host, flags.artifacts) ? [CNI_PLUGINS] : []),
    ]
    if (missing.length > 0) await install(host, missing, journal, output.say)
  }
  await loadModules(config, kernel, journal, output.warn)
}

// Preflight has asked the kernel.
function proxyNotices(config: InitConfig): string[] {
  try {
    return checkProxyMode(config)
  } catch (error) {
    if (!(error instanceof Reason)) throw error
    return [`[init] ${error.message}`]
  }
}

// Without --artifacts plugins are downloaded with everything else.
function hasPlugins(host: HostSource, artifacts: string | undefined): boolean {
  if (artifacts === undefined || pluginFolder(host) !== undefined) return true
  return CNI_PROGRAMS.every(program => existsSync(join(artifacts, 'cni/bin', program)))
}

async function install(
  host: HostSource,
  missing: readonly HostProgram[],
  journal: Journal,
  say: (line: string) => void,
): Promise<void> {
  const manager = packageManager(host)
  if (manager === undefined) {
    const what = missing.map(({ programs, why }) => `${programs.join(', ')} (${why})`).join('; ')
    throw new KubestepError(`init: cannot install ${what}: there is no apt, dnf, yum or apk; install that by hand`)
  }
  const names = packagesOf(missing, manager)
  say(`[init] Installing ${names.join(', ')} with ${manager.name}; reset leaves them there`)
  await installPackages('init', manager.name, names, journal.record)
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
    const { exitCode, stderr } = await $({ nothrow: true })`modprobe ${name}`
    if (exitCode !== 0) warn(`[init] Cannot load kernel module ${name}: ${stderr.trim()}`)
  }
}
