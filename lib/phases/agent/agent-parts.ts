/** What the agent can do: a row for each part. Those that somebody has set up run. */
import type { AgentPart } from './agent-part.ts'
import { nodeRoutes } from './node-routes.ts'

export const AGENT_PARTS: readonly AgentPart[] = [nodeRoutes]
