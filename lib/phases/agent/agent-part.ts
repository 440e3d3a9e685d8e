/** A part of the agent: something that has to be kept right on this machine as the cluster changes. */
import type { JsonObject } from '../../base/json.ts'
import type { Api } from '../../cluster/api/api-client.ts'

export interface AgentContext {
  /** Name of this machine's node. */
  readonly node: string
  /** What this part was set up with. */
  readonly settings: JsonObject
  /** A client with the rights of this node's kubelet; throws while it has no identity. */
  readonly open: () => Api
  /** One with the rights of an administrator; undefined on a machine that has none. */
  readonly openAdmin: () => Api | undefined
  /** A line for the log of the service. */
  readonly say: (line: string) => void
  /** Ends everything. */
  readonly signal: AbortSignal
}

export interface AgentPart {
  readonly name: string
  /** It does not wait for an API server: others reach theirs by it. */
  readonly isFirst?: true
  /** Runs until it is ended. */
  readonly run: (context: AgentContext) => Promise<void>
}
