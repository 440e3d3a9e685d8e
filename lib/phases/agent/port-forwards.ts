/** Ports of this machine that lead to nodes on it. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { forward } from '../../cluster/api-balancer/balancer.ts'
import { forwardDatagrams, listenDatagrams } from '../../cluster/api-balancer/datagrams.ts'
import type { AgentPart } from './agent-part.ts'

export interface PortForward {
  /** Absent: TCP. */
  readonly protocol?: 'UDP'
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
    await Promise.all(
      forwards.map(one => (one.protocol === 'UDP' ? forwardDatagrams(one, signal) : forward(one, signal))),
    )
  },
}

/** Throws a KubestepError that names UDP ports that cannot be had; of TCP ports preflight knows. */
export async function refuseTakenPorts(forwards: readonly PortForward[]): Promise<void> {
  const datagrams = forwards.filter(({ protocol }) => protocol === 'UDP')
  const outcomes = await Promise.allSettled(
    datagrams.map(async one => {
      const socket = await listenDatagrams(one)
      socket.close()
    }),
  )
  const faults = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled') return []
    const { address, port } = datagrams[index] ?? {}
    const place = address === undefined ? '' : ` of ${address}`
    return [
      `node: cannot lead UDP port ${port}${place} to a node: ${reasonOf(outcome.reason)}; stop what has it, or use another port`,
    ]
  })
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
}
