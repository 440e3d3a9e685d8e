/** What the agent can do: a row for each part. Those that somebody has set up run. */
import type { AgentPart } from './agent-part.ts'
import { apiBalancer } from './api-balancer.ts'
import { bootedNodes } from './booted-nodes.ts'
import { folderStorage } from './folder-storage.ts'
import { loadBalancer } from './load-balancer.ts'
import { networkPolicy } from './network-policy.ts'
import { nodeRoutes } from './node-routes.ts'
import { policyNotice } from './policy-notice.ts'
import { portForwards } from './port-forwards.ts'
import { sharedSettings } from './shared-settings.ts'

export const AGENT_PARTS: readonly AgentPart[] = [
  bootedNodes,
  sharedSettings,
  nodeRoutes,
  folderStorage,
  loadBalancer,
  networkPolicy,
  policyNotice,
  apiBalancer,
  portForwards,
]
