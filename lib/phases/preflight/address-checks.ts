/** The check of the address that the API server announces. */
import { formatSubnet, parseAddress, parseSubnet } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import { NO_MACHINE_ADDRESS } from '../../machine/host/read-facts.ts'
import { type Check, error, ok, type Verdict } from './check.ts'

/**
 * Why an API server cannot start with the families of its addresses, and what to change; undefined when it can.
 * Source: kube-apiserver pkg/controlplane/apiserver/options/validation.go (v1.36):
 * "service IP family must match public address family".
 */
export function familyFault({
  init,
  cluster,
}: InitConfig): { readonly found: string; readonly fix: string } | undefined {
  const { extraArgs } = cluster.apiServer
  const told = (name: string): string | undefined => argumentValue(extraArgs, name)
  // Nobody keeps the endpoints of the API's Service then.
  if (told('endpoint-reconciler-type') === 'none') return undefined
  const text = told('advertise-address') ?? init.localAPIEndpoint.advertiseAddress
  const address = parseAddress(text)
  const subnet = parseSubnet((told('service-cluster-ip-range') ?? cluster.networking.serviceSubnet).split(',')[0] ?? '')
  if (address === undefined || subnet === undefined || address.family === subnet.address.family) return undefined
  const { family } = subnet.address
  return {
    found: `the API server cannot start: it would announce ${text}, and its first range of Services, ${formatSubnet(subnet)}, is of IPv${family}`,
    fix:
      family === 4
        ? 'give Services and Pods ranges of IPv6, as in --service-cidr fd00:10:96::/112 --pod-network-cidr fd00:10:244::/56; or an IPv4 address with --apiserver-advertise-address'
        : 'put a range of IPv4 first in --service-cidr and --pod-network-cidr; or give an IPv6 address with --apiserver-advertise-address',
  }
}

export const ADDRESS_CHECKS: readonly Check[] = [
  {
    name: 'AdvertiseAddress',
    about: 'the API server has an address to announce, of the family of the first range of Services',
    why: 'Services lead to it, and it does not start with an address of the other family',
    severity: 'error',
    ours: true,
    look: ({ facts }, { config }): Verdict => {
      const { advertiseAddress } = config.init.localAPIEndpoint
      const isGuess = Object.values<string>(NO_MACHINE_ADDRESS).includes(advertiseAddress)
      if (isGuess && Object.keys(facts.defaultAddress).length === 0) {
        return error(
          'this machine has no default route, and with it no address for the API server',
          'give it one, or name an address with --apiserver-advertise-address',
        )
      }
      const fault = familyFault(config)
      return fault === undefined ? ok(advertiseAddress) : error(fault.found, fault.fix)
    },
  },
]
