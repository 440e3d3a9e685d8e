/**
 * The names and addresses that serving certificates are valid for, from the configuration.
 * Source: kubeadm util/pkiutil/pki_helpers.go (v1.18 to v1.36).
 */
import { formatAddress, nthAddress, parseAddress, parseSubnet } from '../../base/address.ts'
import { isSubdomain, isWildcardSubdomain } from '../../base/dns-names.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'
import type { AlternativeNames } from './x509.ts'

/** Names of the API server: as the cluster calls it, the node, the common endpoint, and what the user adds. */
export function apiServerNames(config: InitConfig): AlternativeNames {
  const { networking, apiServer, controlPlaneEndpoint } = config.cluster
  const node = config.init.nodeRegistration.name
  return normalized(config, [
    node,
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    ...(networking.dnsDomain === '' ? [] : [`kubernetes.default.svc.${networking.dnsDomain}`]),
    ...serviceAddress(networking.serviceSubnet),
    config.init.localAPIEndpoint.advertiseAddress,
    ...(controlPlaneEndpoint ? [endpointHost(controlPlaneEndpoint)] : []),
    ...(apiServer.certSANs ?? []).map(name => name.toLowerCase()).filter(isName),
  ])
}

export function etcdServerNames(config: InitConfig): AlternativeNames {
  return etcdNames(config, config.cluster.etcd.local?.serverCertSANs)
}

export function etcdPeerNames(config: InitConfig): AlternativeNames {
  return etcdNames(config, config.cluster.etcd.local?.peerCertSANs)
}

function etcdNames(config: InitConfig, extra: readonly string[] = []): AlternativeNames {
  const { nodeRegistration, localAPIEndpoint } = config.init
  const fixed = [nodeRegistration.name, 'localhost', localAPIEndpoint.advertiseAddress, '127.0.0.1', '::1']
  return normalized(config, [...fixed, ...extra.filter(isName)])
}

/** The address of the `kubernetes` Service: the first after the subnet's own, of the first subnet. */
function serviceAddress(serviceSubnet: string): string[] {
  const subnet = parseSubnet(serviceSubnet.split(',')[0]?.trim() ?? '')
  const address = subnet === undefined ? undefined : nthAddress(subnet, 1)
  return address === undefined ? [] : [formatAddress(address)]
}

/** The host of `host:port`, `[ipv6]:port`, or either without port. */
function endpointHost(endpoint: string): string {
  if (parseAddress(endpoint) !== undefined) return endpoint
  return endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

// kubeadm leaves anything else out with a warning; validation of the configuration has refused it before.
function isName(text: string): boolean {
  return parseAddress(text) !== undefined || isSubdomain(text) || isWildcardSubdomain(text)
}

// Source: kubernetes PR 92753 (1.19): before, names stood as they came, duplicates included.
const NAMES_ARE_UNIQUE: Since<boolean> = { '1.18': false, '1.19': true }

/** DNS names sorted, addresses in the order given and as Go prints them, both without duplicates. */
function normalized(config: InitConfig, mixed: readonly string[]): AlternativeNames {
  const dnsNames = mixed.filter(text => text !== '' && parseAddress(text) === undefined)
  const ipAddresses = mixed.flatMap(text => {
    const address = parseAddress(text)
    return address === undefined ? [] : [formatAddress(address)]
  })
  if (!valueSince(NAMES_ARE_UNIQUE, config.kubeadm)) return { dnsNames, ipAddresses }
  return { dnsNames: [...new Set(dnsNames)].sort(), ipAddresses: [...new Set(ipAddresses)] }
}
