/**
 * Several control planes of one machine behind one port of it: the API answers as long as one of them does, or one of
 * another machine that has joined them.
 */
import { follow } from '../../cluster/api/watch.ts'
import { type Backend, distinct, serversIn } from '../../cluster/api-balancer/backends.ts'
import { balance } from '../../cluster/api-balancer/balancer.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'
import { adminOf } from './admin-rights.ts'
import type { AgentPart } from './agent-part.ts'

/** Endpoints and not slices of them: releases before 1.21 have these alone. */
const SERVERS = '/api/v1/namespaces/default/endpoints?fieldSelector=metadata.name%3Dkubernetes'

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
  run: async context => {
    const { settings, say, signal } = context
    const { port, first, serverPort } = settings as unknown as ApiBalancerSettings
    let known: readonly Backend[] = []
    const own = (): Backend[] => {
      const further = localNodes().filter(({ role }) => role === 'control-plane')
      const hosts = [first, ...further.flatMap(({ addresses }) => addresses.slice(0, 1))]
      return hosts.map(host => ({ host, port: serverPort }))
    }
    const watch = {
      collection: SERVERS,
      keep: serversIn,
      onState: async (found: readonly Backend[][]) => {
        known = found.flat()
      },
      // That servers do not answer is said already, and those that were known stay.
      onFault: () => {},
    }
    await Promise.all([
      balance({ port, backends: () => distinct([...own(), ...known]), say, signal }),
      follow(adminOf(context), watch, signal),
    ])
  },
}
