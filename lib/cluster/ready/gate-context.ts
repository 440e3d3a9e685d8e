/** What the gates look at, from a configuration; and which of them a user asked for. */
import { formatAddress, nthAddress, parseSubnet } from '../../base/address.ts'
import { UsageError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { nearest } from '../../base/nearest.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import type { ApiService } from '../../machine/network/api-service.ts'
import type { Api } from '../api/api-client.ts'
import { GATES, type Gate, type GateContext } from './gates.ts'

/** The context of a cluster's gates. */
export function gateContext(config: InitConfig, api: Api): GateContext {
  const { networking, dns, proxy } = config.cluster
  const subnet = parseSubnet(networking.serviceSubnet.split(',')[0] ?? '')
  const serviceAddress = (index: number): string => {
    const address = subnet === undefined ? undefined : nthAddress(subnet, index)
    return address === undefined ? '' : formatAddress(address)
  }
  return {
    api,
    version: config.version,
    nodeName: config.init.nodeRegistration.name,
    dnsDomain: networking.dnsDomain,
    apiServiceAddress: serviceAddress(1),
    dnsServiceAddress: serviceAddress(10),
    probePod: 'kubestep-probe',
    pauseImage: imageOf('pause', config),
    hasProxy: !proxy.disabled,
    hasDns: !dns.disabled,
  }
}

/** The API server's Service as Pods see it. */
export function apiServiceOf({ init }: InitConfig, { apiServiceAddress }: GateContext): ApiService {
  const { advertiseAddress, bindPort } = init.localAPIEndpoint
  return { address: apiServiceAddress, server: { address: advertiseAddress, port: bindPort } }
}

/** The gates that `--wait` names: all, none, or a list. Throws a UsageError for a name that is not a gate. */
export function chosenGates(wait = 'all'): readonly Gate[] {
  if (wait === 'all') return GATES
  if (wait === 'none') return []
  const known = GATES.map(({ name }) => name)
  const names = wait.split(',')
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) {
    const faults = unknown.map(name => {
      const hint = nearest(name, known)
      return `init: cannot wait for "${name}": there is no such gate; ${hint ? `did you mean "${hint}"?` : `use all, none, or some of ${known.join(', ')}`}`
    })
    throw new UsageError(faults.join('\n'))
  }
  return GATES.filter(({ name }) => names.includes(name))
}
