/** Item `sysctls`: kernel settings now and at boot. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import { featureOf, featureState } from '../../machine/host/kernel-features.ts'
import { SYSCTLS, sysctlFile } from '../../machine/host/sysctl.ts'
import { type Finding, fileChange, type PrepareContext, settingChange } from './prepare-item.ts'

const FILE = '/etc/sysctl.d/99-kubestep.conf'

export async function findSysctls({ host, live, kernel, config }: PrepareContext): Promise<Finding> {
  // The keys of bridges come with their module, which may be about to be loaded.
  const bridges = !live || featureState(featureOf('br_netfilter'), kernel) !== 'missing'
  const wanted = wantedSysctls(config).filter(
    ({ key }) => !live || host.read(sysctlFile(key)) !== undefined || (key.startsWith('net.bridge.') && bridges),
  )
  const now = live ? await Promise.all(wanted.map(({ key, value }) => settingChange(host, 'sysctl', key, value))) : []
  const lines = wanted.map(({ key, value }) => `${key} = ${value}`)
  const text = ['# Written by kubestep prepare; "prepare --undo" takes it away.', ...lines, ''].join('\n')
  return { changes: [...now.flat(), ...fileChange(host, FILE, text)], notes: overrides(host, wanted) }
}

interface WantedSysctl {
  readonly key: string
  readonly value: string
}

function wantedSysctls({ cluster }: InitConfig): WantedSysctl[] {
  const { podSubnet = '', serviceSubnet } = cluster.networking
  const hasIpv6 = `${podSubnet}${serviceSubnet}`.includes(':')
  return SYSCTLS.flatMap(({ key, value, ipv6 }) => (value === undefined || (ipv6 && !hasIpv6) ? [] : [{ key, value }]))
}

/** Files that are read after ours at boot and say otherwise. Source: sysctl.d(5), sysctl(8) --system. */
function overrides(host: HostSource, wanted: readonly WantedSysctl[]): string[] {
  const later = (host.list('/etc/sysctl.d') ?? [])
    .map(name => `/etc/sysctl.d/${name}`)
    .filter(path => path > FILE && path.endsWith('.conf'))
  return [...later, '/etc/sysctl.conf'].flatMap(path =>
    wanted.flatMap(({ key, value }) => {
      const said = lastValue(host.read(path) ?? '', key)
      return said === undefined || said === value
        ? []
        : [`"${path}" sets ${key} to ${said} at boot, after ours; take that line out`]
    }),
  )
}

function lastValue(text: string, key: string): string | undefined {
  return text
    .split('\n')
    .map(line => /^\s*-?([\w./-]+)\s*=\s*(.*?)\s*$/.exec(line))
    .findLast(match => match?.[1]?.replaceAll('/', '.') === key)?.[2]
}
