/** Which address each Service of type LoadBalancer has: pure, from all Services that there are. */
import {
  containsAddress,
  type Family,
  formatAddress,
  nthAddress,
  parseAddress,
  type Subnet,
} from '../../base/address.ts'
import { type JsonObject, objectOf, objectsOf } from '../../base/json.ts'

export interface BalancedService {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly version: string
  /** When it was made: who came first keeps an address. */
  readonly since: string
  /** Whether it asks for a load balancer, and for no certain one. */
  readonly isOurs: boolean
  /** Families of the addresses that it wants. */
  readonly families: readonly Family[]
  /** An address that it would like; '' where any will do. */
  readonly asked: string
  /** What its status says. */
  readonly addresses: readonly string[]
}

export interface AddressStep {
  readonly service: BalancedService
  readonly addresses: readonly string[]
  /** What it cannot have, in words. */
  readonly lacks: readonly string[]
}

/** What is wanted of a Service. */
export function balancedService(object: JsonObject): BalancedService {
  const [metadata, spec] = [objectOf(object.metadata), objectOf(object.spec)]
  const ingress = objectsOf(objectOf(objectOf(object.status).loadBalancer).ingress)
  return {
    namespace: String(metadata.namespace),
    name: String(metadata.name),
    uid: String(metadata.uid),
    version: String(metadata.resourceVersion),
    since: String(metadata.creationTimestamp),
    isOurs:
      spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined,
    families: familiesOf(spec),
    asked: typeof spec.loadBalancerIP === 'string' ? spec.loadBalancerIP : '',
    addresses: ingress.flatMap(({ ip }) => (typeof ip === 'string' ? [ip] : [])),
  }
}

// ipFamilies came with 1.20, ipFamily was there before, and a Service of an older release has an address alone.
function familiesOf({ ipFamilies, ipFamily, clusterIP }: JsonObject): Family[] {
  const names = Array.isArray(ipFamilies)
    ? ipFamilies
    : [ipFamily ?? (String(clusterIP).includes(':') ? 'IPv6' : 'IPv4')]
  return names.map(name => (name === 'IPv6' ? 6 : 4))
}

const LEAVE_OUT = 'leave loadBalancerIP out'

/** The Services whose status has to change, so that each has one address of each family out of `ranges`, and none two. */
export function addressSteps(services: readonly BalancedService[], ranges: readonly Subnet[]): AddressStep[] {
  const inRanges = (text: string): boolean => ranges.some(range => contains(range, text))
  const sorted = services.toSorted((a, b) => compare([a.since, a.uid], [b.since, b.uid]))
  const holders = new Map<string, string>()
  for (const { uid, addresses, isOurs } of sorted) {
    for (const text of addresses) if ((isOurs || !inRanges(text)) && !holders.has(text)) holders.set(text, uid)
  }
  const next = ranges.map(range => freeAddresses(range, holders))
  return sorted.flatMap(service => {
    const { isOurs, addresses, uid } = service
    // What others wrote is theirs.
    if (!isOurs && !addresses.some(inRanges)) return []
    const lacks: string[] = []
    const wanted = isOurs
      ? service.families.flatMap(family => {
          const index = ranges.findIndex(({ address }) => address.family === family)
          const range = ranges[index]
          if (range === undefined) {
            lacks.push(`there are no IPv${family} addresses for load balancers on this machine`)
            return []
          }
          const wish = parseAddress(service.asked)?.family === family ? service.asked : ''
          // As with kind's provider, what nobody here could give counts for nothing; it is said.
          const asked = contains(range, wish) ? wish : ''
          if (asked !== wish) lacks.push(`"${wish}" is none of ${rangeText(range)}, so it has another; ${LEAVE_OUT}`)
          if (asked !== '' && holders.has(asked) && holders.get(asked) !== uid) {
            lacks.push(`"${asked}" is taken; ${LEAVE_OUT}`)
            return []
          }
          const kept = addresses.find(text => holders.get(text) === uid && contains(range, text))
          const address = asked !== '' ? asked : (kept ?? next[index]?.next().value)
          if (address === undefined) {
            lacks.push(`all addresses of ${rangeText(range)} are taken`)
            return []
          }
          holders.set(address, uid)
          return [address]
        })
      : []
    const isSame = wanted.join() === addresses.join()
    return isSame && lacks.length === 0 ? [] : [{ service, addresses: wanted, lacks }]
  })
}

/** Addresses that nobody has; the first is the machine's own, and the last is for broadcasts. */
function* freeAddresses(range: Subnet, holders: ReadonlyMap<string, string>): Generator<string, undefined> {
  for (let index = 2; ; index++) {
    const address = nthAddress(range, index)
    if (address === undefined || nthAddress(range, index + 1) === undefined) return undefined
    const text = formatAddress(address)
    if (!holders.has(text)) yield text
  }
}

function contains(range: Subnet, text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && containsAddress(range, address)
}

function rangeText({ address, prefix }: Subnet): string {
  return `${formatAddress(address)}/${prefix}`
}

function compare(a: readonly string[], b: readonly string[]): number {
  return a.join() < b.join() ? -1 : 1
}
