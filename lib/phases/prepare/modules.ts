/** Items `modules` and `ipvs`: kernel modules now and at boot, where the kernel has them as modules. */

import { hasProgram } from '../../machine/host/host-packages.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import { featureOf, featureState, type Kernel } from '../../machine/host/kernel-features.ts'
import { kernelRelease, NODE_MODULES } from '../../machine/host/kernel-modules.ts'
import { ipvsSchedulers, kernelLacks, PROXY_MODES, proxyModeName } from '../../machine/network/proxy-mode.ts'
import { findPrograms } from './packages.ts'
import { type Finding, fileChange, NOTHING, type PrepareContext, settingChange } from './prepare-item.ts'

/** Schedulers that users of ipvs expect besides the configured one. */
const IPVS_MODULES: readonly string[] = ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_sh']

const BOOT_FOLDERS: readonly string[] = ['/etc/modules-load.d', '/usr/lib/modules-load.d']

export async function findModules(context: PrepareContext): Promise<Finding> {
  return findNamed(context, NODE_MODULES, '/etc/modules-load.d/kubestep.conf')
}

export async function findIpvs(context: PrepareContext, asked: boolean): Promise<Finding> {
  const { config, kernel, live } = context
  const { document } = config.kubeProxy
  if (!asked && (proxyModeName(document) !== 'ipvs' || config.cluster.proxy.disabled)) return NOTHING
  const mode = PROXY_MODES.find(({ name }) => name === 'ipvs')
  const lacks = mode === undefined || !live ? [] : kernelLacks(mode, document, kernel)
  if (lacks.length > 0) {
    const others = PROXY_MODES.filter(
      other => other.until === undefined && kernelLacks(other, document, kernel).length === 0,
    ).map(({ name }) => name)
    return {
      changes: [],
      faults: [`cannot prepare mode "ipvs" of kube-proxy: ${lacks.join('; ')}; use mode ${others.join(' or ')}`],
    }
  }
  const names = [...new Set([...IPVS_MODULES, ...ipvsSchedulers(document)])]
  const modules = await findNamed(context, names, '/etc/modules-load.d/kubestep-ipvs.conf')
  // Of all items the packages are one.
  const programs = asked ? findPrograms(context, asked, ['ipset', 'ipvsadm']) : NOTHING
  return {
    changes: [...programs.changes, ...modules.changes],
    notes: [...(modules.notes ?? []), ...(programs.notes ?? [])],
    faults: programs.faults ?? [],
  }
}

async function findNamed(context: PrepareContext, names: readonly string[], file: string): Promise<Finding> {
  const { host, live, kernel } = context
  // Of another machine's kernel nothing is known: what it does not have as a module it passes over at boot.
  if (!live) return { changes: fileChange(host, file, bootText(namedElsewhere(host, names, file))) }
  const release = kernelRelease(host)
  const notes: string[] = []
  const toLoad: string[] = []
  for (const name of names) {
    const feature = featureOf(name)
    const state = featureState(feature, kernel)
    if (state === 'missing')
      notes.push(`this kernel (${release}) lacks ${name} (CONFIG_${feature.option}): ${feature.lost}`)
    if (state === 'unknown') notes.push(`whether this kernel (${release}) has ${name} cannot be found out`)
    if (state !== 'loadable') continue
    if (!hasProgram(host, 'modprobe')) notes.push(`${name} cannot be loaded: there is no modprobe; install kmod`)
    else if (kernel.modules.isKnown) toLoad.push(name)
    else notes.push(`${name} cannot be loaded from here; run "modprobe ${name}" where this kernel belongs to`)
  }
  const now = await Promise.all(toLoad.map(name => settingChange(host, 'module', name, 'loaded')))
  const atBoot = namedElsewhere(host, names, file).filter(name => isModule(name, kernel))
  const boot = atBoot.length === 0 ? [] : fileChange(host, file, bootText(atBoot))
  return { changes: [...now.flat(), ...boot], notes }
}

function isModule(name: string, { modules }: Kernel): boolean {
  return !modules.builtin.has(name) && modules.isKnown && (modules.loadable.has(name) || modules.loaded.has(name))
}

/** The names that nothing else loads at boot. Source: modules-load.d(5); Debian's and Alpine's /etc/modules. */
function namedElsewhere(host: HostSource, names: readonly string[], ours: string): string[] {
  const files = BOOT_FOLDERS.flatMap(folder => (host.list(folder) ?? []).map(name => `${folder}/${name}`))
  const named = ['/etc/modules', ...files.filter(file => file !== ours && file.endsWith('.conf'))].flatMap(file =>
    (host.read(file) ?? '').split('\n').map(line => (line.trim().split(/\s+/)[0] ?? '').replaceAll('-', '_')),
  )
  return names.filter(name => !named.includes(name))
}

function bootText(names: readonly string[]): string {
  return ['# Written by kubestep prepare; "prepare --undo" takes it away.', ...names, ''].join('\n')
}
