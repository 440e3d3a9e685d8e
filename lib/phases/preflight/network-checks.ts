/** Checks of names, addresses, proxies and firewalls. */
import { containsAddress, formatSubnet, isLoopback, parseAddress } from '../../base/address.ts'
import { LAYOUT } from '../../base/paths.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import type { Host } from '../../machine/host/host.ts'
import { hostNameFault } from '../../machine/host/host-name.ts'
import { addressesOf } from '../../machine/host/hosts-file.ts'
import { featureOf, featureState } from '../../machine/host/kernel-features.ts'
import { overlap, type Route } from '../../machine/host/routes.ts'
import { clearLinks, isOthersLink } from '../../machine/network/other-networks.ts'
import { type Check, error, handled, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'
import { FIREWALL_CHECKS } from './firewall-checks.ts'
import { PROXY_CHECKS } from './proxy-checks.ts'
import { type Range, rangesOf } from './ranges.ts'

function usesFamily(wanted: Wanted, family: 4 | 6): boolean {
  const advertised = parseAddress(wanted.config.init.localAPIEndpoint.advertiseAddress)
  return advertised?.family === family || rangesOf(wanted).some(({ subnet }) => subnet.address.family === family)
}

function rangeVerdicts({ routes, facts, nameServers }: Host, wanted: Wanted): Verdict[] {
  const { config } = wanted
  const ranges = rangesOf(wanted)
  const advice = (what: Range['what']): string =>
    `choose another range with ${what === 'Pods' ? '--pod-network-cidr' : '--service-cidr'}`
  const text = ({ what, subnet }: Range): string => `the range of ${what}, ${formatSubnet(subnet)},`
  const own = [...new Set([config.init.localAPIEndpoint.advertiseAddress, ...Object.values(facts.defaultAddress)])]
  return ranges.flatMap((range, index): Verdict[] => {
    const others = ranges.slice(index + 1).filter(other => overlap(range.subnet, other.subnet))
    // An earlier cluster's bridge is taken over, or goes with it.
    const hit = routes.filter(route => route.interfaceName !== LAYOUT.cni.bridge && overlap(range.subnet, route.subnet))
    const holds = (address: string): boolean => {
      const parsed = parseAddress(address)
      return parsed !== undefined && containsAddress(range.subnet, parsed)
    }
    return [
      ...others.map(other => error(`${text(range)} has addresses of ${text(other).slice(0, -1)}`, advice(range.what))),
      ...own
        .filter(holds)
        .map(address => error(`${text(range)} has this machine's address ${address}`, advice(range.what))),
      ...nameServers
        .filter(holds)
        .map(address => error(`${text(range)} has the name server ${address}`, advice(range.what))),
      ...routeVerdicts(range, hit, text(range), advice(range.what)),
    ]
  })
}

/** A route to less than the range takes packets of Pods away; one to more loses those to the range. */
function routeVerdicts({ subnet }: Range, hit: readonly Route[], range: string, advice: string): Verdict[] {
  const inside = hit.filter(route => route.subnet.prefix >= subnet.prefix)
  const around = hit.filter(route => route.subnet.prefix < subnet.prefix)
  const list = (routes: readonly Route[]): string =>
    [...new Set(routes.map(route => `${formatSubnet(route.subnet)} (${route.interfaceName})`))].join(', ')
  return [
    ...(inside.length === 0
      ? []
      : [error(`${range} has addresses that this machine reaches by ${list(inside)}`, cleared(inside, advice))]),
    ...(around.length === 0
      ? []
      : [warning(`${range} hides a part of what this machine reaches by ${list(around)}`, advice)]),
  ]
}

/** The bridge plugin refuses a bridge that has another address than the first of the range. Source: plugins bridge.go (v1.9). */
function bridgeVerdicts({ routes, files }: Host, wanted: Wanted): Verdict[] {
  const { bridge } = LAYOUT.cni
  const ranges = rangesOf(wanted).filter(({ what, subnet }) => what === 'Pods' && subnet.address.family === 4)
  const others = routes.filter(
    ({ interfaceName, subnet }) =>
      interfaceName === bridge &&
      subnet.address.family === 4 &&
      ranges.length > 0 &&
      !ranges.some(range => formatSubnet(range.subnet) === formatSubnet(subnet)),
  )
  if (wanted.cni === 'none' || files[LAYOUT.ready] !== undefined) return []
  return others.map(({ subnet }) => {
    const found = `the bridge ${bridge} has an address of ${formatSubnet(subnet)}, which is not the range of Pods`
    return files[LAYOUT.journal] === undefined
      ? error(
          found,
          `where it is left of another cluster, clear it: ${clearLinks([bridge])}; or use --pod-network-cidr`,
        )
      : handled(found, 'it is of an earlier init, which the next one clears away')
  })
}

/** What another Pod network has left goes by a command, and no other range is needed. */
function cleared(routes: readonly Route[], advice: string): string {
  const links = [...new Set(routes.map(({ interfaceName }) => interfaceName).filter(isOthersLink))]
  return links.length === 0 ? advice : `clear what another Pod network has left: ${clearLinks(links)}; or ${advice}`
}

function resolverVerdict({ nameServers, facts }: Host, { config }: Wanted): Verdict {
  const { resolvConf } = config.kubelet.document
  if (typeof resolvConf === 'string' && resolvConf !== '') return ok(`the KubeletConfiguration names "${resolvConf}"`)
  if (config.cluster.dns.disabled) return ok('no cluster DNS')
  const loops = nameServers.filter(text => {
    const address = parseAddress(text)
    return address !== undefined && isLoopback(address)
  })
  const found = `/etc/resolv.conf names ${nameServers.join(', ') || 'no server'}`
  if (facts.systemdResolved && loops.length > 0) {
    return handled(found, 'the kubelet gets /run/systemd/resolve/resolv.conf, which names the real ones')
  }
  const advice = 'set resolvConf in a KubeletConfiguration to a file with a server that Pods can reach'
  if (nameServers.length === 0) return error(found, advice)
  if (loops.length > 0)
    return error(`${found}: Pods have a loopback of their own, and CoreDNS would ask itself`, advice)
  return ok(nameServers.join(', '))
}

function hostNameVerdict(host: Host, { config }: Wanted): Verdict {
  const { name } = config.init.nodeRegistration
  const fault = hostNameFault(name)
  if (fault !== undefined) return warning(`"${name}" is not a name for a node: ${fault}`, 'use --node-name')
  const { kubeletExtraArgs } = config.init.nodeRegistration
  if (addressesOf(host.hostsFile, name).length > 0) return ok(`"${name}" stands in /etc/hosts`)
  // nss-myhostname is no help: the kubelet is linked statically, and knows files and name servers alone.
  const isResolved = host.facts.systemdResolved && host.nameServers.includes('127.0.0.53')
  if (isResolved && name === host.facts.hostname.toLowerCase()) return ok(`"${name}" is found by systemd-resolved`)
  if (argumentValue(kubeletExtraArgs, 'node-ip') !== undefined)
    return ok(`"${name}" is not in /etc/hosts; the kubelet is told its address`)
  const found = `"${name}" is not in /etc/hosts, and the kubelet asks name servers for it: a minute and more where none answers`
  const { ipv4, ipv6 } = host.facts.defaultAddress
  const hasAddress = ipv4 !== undefined || ipv6 !== undefined
  return hasAddress && argumentValue(kubeletExtraArgs, 'cloud-provider') !== 'external'
    ? handled(found, 'init tells it its address (--node-ip); prepare adds a line to /etc/hosts')
    : warning(
        found,
        'prepare adds a line to /etc/hosts; or give the kubelet its address, with node-ip in kubeletExtraArgs',
      )
}

const FORWARDING: readonly (readonly [path: string, family: 4 | 6])[] = [
  ['/proc/sys/net/ipv4/ip_forward', 4],
  ['/proc/sys/net/ipv6/conf/default/forwarding', 6],
]
const BRIDGE_CALLS: readonly (readonly [path: string, family: 4 | 6])[] = [
  ['/proc/sys/net/bridge/bridge-nf-call-iptables', 4],
  ['/proc/sys/net/bridge/bridge-nf-call-ip6tables', 6],
]

function settingVerdict({ sysctls, kernel, programs }: Host, path: string): Verdict {
  const key = path.slice('/proc/sys/'.length).replaceAll('/', '.')
  const value = sysctls[key]
  if (value === '1') return ok('1')
  if (value !== undefined) return handled(value, 'init sets it to 1, and reset sets it back')
  if (!key.startsWith('net.bridge')) return error('the kernel does not have it', 'use a kernel with this family')
  const { lost } = featureOf('br_netfilter')
  const state = featureState(featureOf('br_netfilter'), kernel)
  if (state === 'missing') return error(`the kernel lacks br_netfilter: ${lost}`, 'use a kernel that has it')
  if (state === 'unknown') return unknown('whether the kernel has br_netfilter cannot be seen', 'modprobe br_netfilter')
  if (state === 'loadable' && programs.modprobe !== undefined) {
    return handled('br_netfilter is not loaded', 'init loads it; prepare does so at boot as well')
  }
  return warning(`br_netfilter is not loaded: ${lost}`, 'load it: modprobe br_netfilter')
}

export const NETWORK_CHECKS: readonly Check[] = [
  {
    name: 'Hostname',
    about: 'the name of the node is valid, and found',
    why: 'certificates and objects carry it',
    severity: 'warning',
    look: hostNameVerdict,
  },
  {
    name: 'FileContent-<path>',
    about: 'forwarding is on, and bridged packets pass the firewall',
    why: 'Pods are reached by forwarding, and Services of Pods on one bridge by its rules',
    severity: 'error',
    subjects: wanted =>
      [...FORWARDING, ...BRIDGE_CALLS].filter(([, family]) => usesFamily(wanted, family)).map(([path]) => path),
    others: [...FORWARDING, ...BRIDGE_CALLS].map(([path]) => path),
    look: (host, _, path) => settingVerdict(host, path),
  },
  ...PROXY_CHECKS,
  ...FIREWALL_CHECKS,
  {
    name: 'NetworkRanges',
    about: 'the ranges of Pods and Services collide with nothing',
    why: 'what shares an address with them is lost to this machine',
    severity: 'error',
    ours: true,
    look: (host, wanted) => {
      const verdicts = [...rangeVerdicts(host, wanted), ...bridgeVerdicts(host, wanted)]
      return verdicts.length > 0
        ? verdicts
        : ok(
            rangesOf(wanted)
              .map(({ what, subnet }) => `${what} ${formatSubnet(subnet)}`)
              .join(', '),
          )
    },
  },
  {
    name: 'ResolvConf',
    about: 'a name server that Pods can reach',
    why: 'CoreDNS forwards to the servers of this machine',
    severity: 'error',
    ours: true,
    look: resolverVerdict,
  },
]
