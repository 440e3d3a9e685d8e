/** Checks of firewalls: what they would drop of a cluster's packets. */
import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import { type Check, handled, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'

function portsOf({ config }: Wanted): string {
  return `${config.init.localAPIEndpoint.bindPort} and 10250`
}

export const FIREWALL_CHECKS: readonly Check[] = [
  {
    name: 'Firewalld',
    about: 'firewalld does not run, or knows of Pods',
    why: 'it refuses what Pods send, and closes the ports of the API server and the kubelet',
    severity: 'warning',
    look: ({ units, machine }, wanted) => {
      if (units.find(({ name }) => name === 'firewalld.service')?.isActive !== true) {
        return ok(machine.systemd ? 'not active' : 'not there, without systemd')
      }
      const ports = portsOf(wanted)
      return wanted.cni === 'bridge'
        ? handled('active', `init has it trust Pods, and reset takes that back; prepare opens ${ports} for others`)
        : warning('active', `prepare opens ${ports} and trusts Pods; or stop firewalld`)
    },
  },
  {
    name: 'ForwardPolicy',
    about: 'packets may be forwarded',
    why: "Docker sets the policy of FORWARD to DROP, and Pods' packets with it",
    severity: 'warning',
    ours: true,
    look: ({ forwardPolicy, programs, uid }, { cni }) => {
      if (programs.iptables === undefined) return undefined
      if (forwardPolicy === undefined)
        return unknown('iptables does not tell', uid === 0 ? 'see iptables -S FORWARD' : undefined)
      if (forwardPolicy === 'ACCEPT') return ok('ACCEPT')
      return cni === 'bridge'
        ? handled(forwardPolicy, "init lets Pods' packets through in a chain of its own")
        : warning(forwardPolicy, 'see that your network lets Pods through')
    },
  },
  {
    name: 'InputPolicy',
    about: 'Pods reach the API server and the kubelet',
    why: 'ufw and other firewalls drop what comes in, also from Pods: then CoreDNS and controllers never get ready',
    severity: 'warning',
    ours: true,
    look: ({ inputPolicy, closedChains }, wanted) => {
      const verdicts: Verdict[] = closedChains.map(chain =>
        warning(
          `nftables: chain "${chain}" drops what no rule of it lets in`,
          `see that it lets Pods in: nft insert rule ${chain} ip saddr ${podRange(wanted)} accept`,
        ),
      )
      if (inputPolicy !== undefined && inputPolicy !== 'ACCEPT') {
        const ports = portsOf(wanted)
        verdicts.push(
          wanted.cni === 'bridge'
            ? handled(`iptables: ${inputPolicy}`, `init lets Pods reach ports ${ports} in a chain of its own`)
            : warning(`iptables: ${inputPolicy}`, `see that your network lets Pods reach ports ${ports}`),
        )
      }
      if (verdicts.length > 0) return verdicts
      return inputPolicy === undefined ? undefined : ok(inputPolicy)
    },
  },
]

function podRange({ config }: Wanted): string {
  return config.cluster.networking.podSubnet?.split(',')[0] ?? DEFAULT_POD_SUBNET
}
