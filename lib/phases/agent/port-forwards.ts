/** Ports of this machine that lead to nodes on it. */
import { forward } from '../../cluster/api-balancer/balancer.ts'
import type { AgentPart } from './agent-part.ts'

export interface PortForward {
  /** Where this machine listens; absent: everywhere. */
  readonly address?: string
  readonly port: number
  readonly to: { readonly host: string; readonly port: number }
}

/** What this part is set up with. */
export interface PortForwardSettings {
  readonly forwards: readonly PortForward[]
}

export const portForwards: AgentPart = {
  name: 'port-forwards',
  run: async ({ settings, signal }) => {
    const { forwards } = settings as unknown as PortForwardSettings
    await Promise.all(forwards.map(one => forward(one, signal)))
  },
}
