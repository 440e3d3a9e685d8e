/** CoreDNS' own configuration. Source: kubeadm phases/addons/dns/manifests.go (v1.18, v1.19, v1.32). */
import type { InitConfig } from '../config/types.ts'
import { type Since, valueSince } from '../version.ts'

/** How queries for other domains are passed on. */
const FORWARD: readonly Since<readonly string[]>[] = [
  ['1.18', ['forward . /etc/resolv.conf']],
  ['1.19', ['forward . /etc/resolv.conf {', '   max_concurrent 1000', '}']],
]

/** Answers about the cluster's own names are not cached any more, lest they be stale. */
const CACHE: readonly Since<(domain: string) => readonly string[]>[] = [
  ['1.18', () => ['cache 30']],
  ['1.32', domain => ['cache 30 {', `   disable success ${domain}`, `   disable denial ${domain}`, '}']],
]

/** The text of the Corefile. */
export function corefile({ cluster, kubeadm }: Pick<InitConfig, 'cluster' | 'kubeadm'>): string {
  const domain = cluster.networking.dnsDomain
  const plugins = [
    'errors',
    'health {',
    '   lameduck 5s',
    '}',
    'ready',
    `kubernetes ${domain} in-addr.arpa ip6.arpa {`,
    '   pods insecure',
    '   fallthrough in-addr.arpa ip6.arpa',
    '   ttl 30',
    '}',
    'prometheus :9153',
    ...(valueSince(FORWARD, kubeadm) ?? []),
    ...(valueSince(CACHE, kubeadm)?.(domain) ?? []),
    'loop',
    'reload',
    'loadbalance',
  ]
  return `.:53 {\n${plugins.map(line => `    ${line}\n`).join('')}}\n`
}
