/** Services of type LoadBalancer: an address for each, and a way to it on this machine; kube-proxy does the rest. */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatSubnet, parseSubnet, type Subnet } from '../../base/address.ts'
import { refusal } from '../../cluster/api/api-client.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import { follow } from '../../cluster/api/watch.ts'
import { type AddressStep, addressSteps, balancedService } from '../../cluster/load-balancer/service-addresses.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { layBalancerNetwork } from '../../machine/network/balancer-network.ts'
import { userOf } from '../../machine/network/balancer-range.ts'
import { adminOf, mayWrite, readerOf } from './admin-rights.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'
import { rangesOf } from './node-routes.ts'

/** What this part is set up with. */
export interface LoadBalancerSettings {
  /** Where addresses come from, one range a family. */
  readonly ranges: readonly string[]
}

export const loadBalancer: AgentPart = {
  name: 'load-balancer',
  run: async context => {
    const { say, signal } = context
    const { ranges } = context.settings as unknown as LoadBalancerSettings
    const subnets = ranges.map(parseSubnet).filter(range => range !== undefined)
    let isLaid = false
    const lay = async (): Promise<void> => {
      if (isLaid) return
      const free = subnets.filter(range => isFree(range, say))
      await layBalancerNetwork(free, await ownAddresses(context))
      isLaid = true
    }
    if (!mayWrite(context)) {
      await lay()
      // There is nothing that changes.
      return endOf(signal)
    }
    const admin = adminOf(context)
    const tell = tellOf(admin, say)
    await follow(
      admin,
      {
        collection: '/api/v1/services',
        keep: balancedService,
        onState: async services => {
          // Most clusters have none, and a cluster that starts has better things to do.
          if (services.some(({ isOurs }) => isOurs)) await lay()
          const steps = addressSteps(services, subnets)
          for (const { service, lacks } of steps) {
            for (const reason of lacks) await tell('Service', service, 'SyncLoadBalancerFailed', reason)
          }
          await write(steps, context)
        },
        onFault: say,
      },
      signal,
    )
  },
}

async function ownAddresses(context: AgentContext): Promise<readonly string[]> {
  const api = readerOf(context)()
  try {
    return rangesOf((await api.get(`/api/v1/nodes/${context.node}`)) ?? {}).addresses
  } finally {
    api.close()
  }
}

/** The range was chosen on the machine where the cluster began. */
function isFree(range: Subnet, say: AgentContext['say']): boolean {
  const user = userOf(range, liveHost())
  if (user !== undefined)
    say(`No way from this machine to load balancers at ${formatSubnet(range)}: ${user} leads there; Pods have one`)
  return user === undefined
}

/** As long as a timer goes. */
const LONG_MS = 2 ** 31 - 1

async function endOf(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(LONG_MS, undefined, { signal }).catch(() => {})
}

async function write(steps: readonly AddressStep[], context: AgentContext): Promise<void> {
  const changed = steps.filter(({ service, addresses }) => addresses.join() !== service.addresses.join())
  if (changed.length === 0) return
  const api = adminOf(context)()
  try {
    for (const { service, addresses } of changed) {
      const path = `/api/v1/namespaces/${service.namespace}/services/${service.name}/status`
      // Another machine with the same part may have been first: then it comes again, as it is now.
      const change = {
        metadata: { resourceVersion: service.version },
        status: { loadBalancer: { ingress: addresses.map(ip => ({ ip })) } },
      }
      const answer = await api.send('PATCH', path, change, 'application/merge-patch+json')
      if (answer.status === 409 || answer.status === 404) continue
      if (answer.status >= 300) throw refusal('PATCH', path, answer)
      context.say(`${service.namespace}/${service.name} has ${addresses.join(', ') || 'no address any more'}`)
    }
  } finally {
    api.close()
  }
}
