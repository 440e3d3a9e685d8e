/** Services of type LoadBalancer: an address for each, and a way to it on this machine; kube-proxy does the rest. */
import { parseSubnet } from '../../base/address.ts'
import { refusal } from '../../cluster/api/api-client.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import { follow } from '../../cluster/api/watch.ts'
import { type AddressStep, addressSteps, balancedService } from '../../cluster/load-balancer/service-addresses.ts'
import { layBalancerNetwork } from '../../machine/network/balancer-network.ts'
import { adminOf } from './admin-rights.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'

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
    await layBalancerNetwork(subnets)
    const admin = adminOf(context)
    const tell = tellOf(admin, say)
    await follow(
      admin,
      {
        collection: '/api/v1/services',
        keep: balancedService,
        onState: async services => {
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

async function write(steps: readonly AddressStep[], context: AgentContext): Promise<void> {
  const changed = steps.filter(({ service, addresses }) => addresses.join() !== service.addresses.join())
  if (changed.length === 0) return
  const api = adminOf(context)()
  try {
    for (const { service, addresses } of changed) {
      const path = `/api/v1/namespaces/${service.namespace}/services/${service.name}/status`
      const status = { loadBalancer: { ingress: addresses.map(ip => ({ ip })) } }
      const answer = await api.send('PATCH', path, { status }, 'application/merge-patch+json')
      if (answer.status >= 300 && answer.status !== 404) throw refusal('PATCH', path, answer)
      context.say(`${service.namespace}/${service.name} has ${addresses.join(', ') || 'no address any more'}`)
    }
  } finally {
    api.close()
  }
}
