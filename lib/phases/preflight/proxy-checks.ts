/** Checks of the proxy that the environment names. */
import { formatAddress, formatSubnet, nthAddress } from '../../base/address.ts'
import { proxyAddress, proxyFor } from '../../base/proxy-variables.ts'
import type { Host } from '../../machine/host/host.ts'
import { type Check, handled, ok, type Verdict, warning } from './check.ts'
import { rangesOf } from './ranges.ts'

export const PROXY_CHECKS: readonly Check[] = [
  {
    name: 'HTTPProxy',
    about: 'the API server is not reached through a proxy',
    why: 'a proxy seldom finds the way back to this machine',
    severity: 'warning',
    look: ({ facts }, { config }) => {
      const { advertiseAddress, bindPort } = config.init.localAPIEndpoint
      const way = wayTo(facts, advertiseAddress, `${bindPort}`)
      if (way === undefined) return ok('direct')
      const fix = way.fix ?? `init itself goes there directly; for kubectl add ${advertiseAddress} to NO_PROXY`
      return warning(`${way.found(advertiseAddress)}`, fix)
    },
  },
  {
    name: 'HTTPProxyCIDR',
    about: 'Pods and Services are not reached through a proxy',
    why: 'static Pods get the proxy variables, and webhooks are then called through it',
    severity: 'warning',
    look: ({ facts }, wanted) => {
      const verdicts = rangesOf(wanted).flatMap(({ subnet }): Verdict[] => {
        const first = nthAddress(subnet, 1)
        const way = first && wayTo(facts, formatAddress(first), '443')
        if (way === undefined) return []
        const found = way.found(formatSubnet(subnet))
        return wanted.profile === 'ci'
          ? [handled(found, 'the ci profile leaves the variables out')]
          : [warning(found, way.fix ?? `add ${formatSubnet(subnet)} to NO_PROXY, or use --profile ci`)]
      })
      return verdicts.length > 0 ? verdicts : ok('direct')
    },
  },
]

interface Way {
  readonly found: (what: string) => string
  /** What to do about the proxy itself, where it is none. */
  readonly fix?: string
}

/** The proxy that Go's programs take to an address; undefined for none. */
function wayTo({ proxyEnvironment }: Host['facts'], host: string, port: string): Way | undefined {
  const variables = Object.fromEntries(proxyEnvironment.map(({ name, value }) => [name, value]))
  const choice = proxyFor({ scheme: 'https', host, port }, variables)
  if (choice.kind === 'direct') return undefined
  if (choice.kind === 'proxy') return { found: what => `${what} is reached through ${proxyAddress(choice.url)}` }
  const [what = '', fix = ''] = choice.reason.split('; ')
  return { found: () => `${choice.variable} names no proxy: ${what}`, fix }
}
