/**
 * Where addresses of load balancers lead on this machine: to an interface of our own, so that there is a route to them
 * everywhere; kube-proxy rewrites them before a packet gets there, and what it does not know is refused.
 */
import { formatAddress, formatSubnet, nthAddress, parseAddress, type Subnet } from '../../base/address.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../command.ts'
import { iptables } from './firewall-rules.ts'

const CHAIN = 'KUBESTEP-BALANCER'

const METRIC = 512
const SPARE_METRIC = 1024

/** Input of `iptables-restore --noflush`. The address of the machine itself goes out by the loopback interface. */
export function balancerRules(range: Subnet): string {
  const rule = `-d ${formatSubnet(range)} ! -o lo -j REJECT -m comment --comment kubestep`
  return ['*filter', `:${CHAIN} - [0:0]`, `-A ${CHAIN} ${rule}`, 'COMMIT', ''].join('\n')
}

const must = $({ what: 'network: cannot lay a way to load balancers' })

/**
 * Puts the interface and the rules in place, where they are not. What this machine itself calls it calls from one of
 * `addresses`, as it does otherwise: loadBalancerSourceRanges and Pods know it by them. Throws a CommandError with the
 * kernel's reason.
 */
export async function layBalancerNetwork(ranges: readonly Subnet[], addresses: readonly string[]): Promise<void> {
  const name = LAYOUT.balancer.link
  const isThere = (await $({ nothrow: true })`ip link show ${name}`).exitCode === 0
  // A bridge, as that is there wherever the Pod network is.
  if (!isThere) await must`ip link add ${name} type bridge`
  await must`ip link set ${name} up`
  for (const range of ranges) {
    const { family } = range.address
    const first = nthAddress(range, 1)
    if (first === undefined) continue
    // Nobody else is on it who could have the address already.
    const own = [`${formatAddress(first)}/${range.prefix}`, 'dev', name, ...(family === 6 ? ['nodad'] : [])]
    // The kernel's route stands behind ours, which goes when this machine has the address no longer.
    await must`ip -${family} address replace ${own} metric ${SPARE_METRIC}`
    const from = addresses.find(address => parseAddress(address)?.family === family)
    if (from !== undefined) {
      await $({
        nothrow: true,
      })`ip -${family} route replace ${formatSubnet(range)} dev ${name} metric ${METRIC} src ${from}`
    }
    await must({ input: balancerRules(range) })`${iptables(family, '-restore')} --noflush --wait`
    for (const chain of ['FORWARD', 'OUTPUT']) {
      const entry = ['-m', 'comment', '--comment', 'kubestep', '-j', CHAIN]
      const command = [iptables(family), '--wait']
      if ((await $({ nothrow: true })`${command} -C ${chain} ${entry}`).exitCode === 0) continue
      // Before what lets all Pods through.
      await must`${command} -I ${chain} 1 ${entry}`
    }
  }
}
