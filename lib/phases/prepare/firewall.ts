/** Item `firewall`: openings for the ports that a control plane listens on, and for what comes from Pods. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import {
  answers,
  firewalldWord,
  listFirewalld,
  PORTS,
  type SettingName,
  SOURCES,
} from '../../machine/running-settings.ts'
import { type Finding, NOTHING, type PrepareContext, settingChange } from './prepare-item.ts'

interface Opening {
  /** As firewalld has it, e.g. `2379-2380/tcp`. */
  readonly port: string
  readonly what: string
}

const NODE_PORTS = '30000-32767'

/** Ports that others have to reach; the controller manager's and the scheduler's are for the node alone. Source: kubernetes.io, ports and protocols. */
export function openings({ cluster, init }: InitConfig): Opening[] {
  const range = cluster.apiServer.extraArgs?.findLast(({ name }) => name === 'service-node-port-range')?.value
  const nodePorts = range ?? NODE_PORTS
  return [
    { port: `${init.localAPIEndpoint.bindPort}/tcp`, what: 'the API server' },
    ...(cluster.etcd.local === undefined ? [] : [{ port: '2379-2380/tcp', what: 'etcd' }]),
    { port: '10250/tcp', what: 'the kubelet' },
    ...(cluster.proxy.disabled ? [] : [{ port: '10256/tcp', what: 'health of kube-proxy, for load balancers' }]),
    { port: `${nodePorts}/tcp`, what: 'Services of type NodePort' },
    { port: `${nodePorts}/udp`, what: 'Services of type NodePort' },
  ]
}

export async function findFirewall({ host, live, config }: PrepareContext, asked: boolean): Promise<Finding> {
  if (!live)
    return asked ? { changes: [], notes: ['the firewall of a machine that does not run is left as it is'] } : NOTHING
  const ports = openings(config).map(({ port }) => port)
  const sources = (config.cluster.networking.podSubnet ?? '').split(',').filter(subnet => subnet !== '')
  if (await isFirewalldUp(host)) return findFirewalld(host, ports, sources)
  if (await answers(host, ['ufw', 'status'], /^Status: active/m)) {
    return { changes: await ufwChanges(host, ports, sources) }
  }
  const policy = (await host.run(['iptables', '-S', 'INPUT']))?.stdout ?? ''
  if (!/^-P INPUT DROP/m.test(policy)) return NOTHING
  return {
    changes: [],
    notes: [
      `iptables drops what comes in unless a rule lets it (-P INPUT DROP), and no firewall that prepare knows runs: let in ${ports.join(', ')}${sources.length === 0 ? '' : ` and everything from ${sources.join(', ')}`} where those rules are made`,
    ],
  }
}

/** Addresses of Pods that firewalld, where it runs, does not trust yet: it would drop what comes from there. */
export async function findPodSources(host: HostSource, sources: readonly string[]): Promise<Finding> {
  return (await isFirewalldUp(host)) ? findFirewalld(host, [], sources) : NOTHING
}

function isFirewalldUp(host: HostSource): Promise<boolean> {
  return answers(host, ['firewall-cmd', '--state'], /^/)
}

async function findFirewalld(host: HostSource, ports: readonly string[], sources: readonly string[]): Promise<Finding> {
  const open = await listFirewalld(host, PORTS)
  const trusted = await listFirewalld(host, SOURCES)
  if (open === undefined || trusted === undefined) {
    return { changes: [], faults: ['cannot open ports: firewall-cmd does not list them; try it by hand'] }
  }
  const change = (setting: SettingName, subject: string, lists: typeof open): PreparedChange[] => {
    const before = firewalldWord(subject, lists) ?? 'closed'
    return before === 'open' ? [] : [{ kind: 'setting', setting, subject, before, after: 'open' }]
  }
  return {
    changes: [
      ...ports.flatMap(port => change('firewalld-port', port, open)),
      ...sources.flatMap(source => change('firewalld-source', source, trusted)),
    ],
  }
}

async function ufwChanges(
  host: HostSource,
  ports: readonly string[],
  sources: readonly string[],
): Promise<PreparedChange[]> {
  const rules = [
    ...ports.map(port => `allow ${port.replace('-', ':')}`),
    ...sources.map(source => `allow from ${source}`),
  ]
  return (await Promise.all(rules.map(rule => settingChange(host, 'ufw', rule, 'open')))).flat()
}
