/** Several control planes of one machine behind one port of it: the API answers as long as one of them does. */
import { balance } from '../../cluster/api-balancer/balancer.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'
import type { AgentPart } from './agent-part.ts'

/** What this part is set up with. */
export interface ApiBalancerSettings {
  readonly port: number
  /** Address of the first API server, this machine's own. */
  readonly first: string
  /** Port of each API server. */
  readonly serverPort: number
}

export const apiBalancer: AgentPart = {
  name: 'api-balancer',
  isFirst: true,
  run: ({ settings, say, signal }) => {
    const { port, first, serverPort } = settings as unknown as ApiBalancerSettings
    const further = (): string[] =>
      localNodes().flatMap(({ role, addresses }) => (role === 'control-plane' ? addresses.slice(0, 1) : []))
    const backends = (): { host: string; port: number }[] =>
      [first, ...further()].map(host => ({ host, port: serverPort }))
    return balance({ port, backends, say, signal })
  },
}
