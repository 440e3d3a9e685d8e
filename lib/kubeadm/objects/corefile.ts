/** CoreDNS' own configuration. Source: kubeadm phases/addons/dns/manifests.go (v1.18, v1.19, v1.32). */
import { parseVersion, type Since, type Version, valueSince } from '../../base/version.ts'

/** How queries for other domains are passed on. */
const FORWARD: Since<readonly string[]> = {
  '1.18': ['forward . /etc/resolv.conf'],
  '1.19': ['forward . /etc/resolv.conf {', '   max_concurrent 1000', '}'],
}

/** Answers about the cluster's own names are not cached any more, lest they be stale. */
const CACHE: Since<(domain: string) => readonly string[]> = {
  '1.18': () => ['cache 30'],
  '1.32': domain => ['cache 30 {', `   disable success ${domain}`, `   disable denial ${domain}`, '}'],
}

export interface CorefileSettings {
  readonly cluster: { readonly networking: { readonly dnsDomain: string } }
  readonly kubeadm: Version
}

/** The text of the Corefile. */
export function corefile({ cluster, kubeadm }: CorefileSettings): string {
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

/** Whether a Corefile is as one of kubeadm's releases wrote it, for the same domain. */
export function isDefaultCorefile(text: string, dnsDomain: string): boolean {
  const releases = Object.keys({ ...FORWARD, ...CACHE }).flatMap(since => parseVersion(`${since}.0`) ?? [])
  return releases.some(kubeadm => text.trim() === corefile({ cluster: { networking: { dnsDomain } }, kubeadm }).trim())
}
