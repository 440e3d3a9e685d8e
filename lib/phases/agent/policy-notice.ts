/** Where nobody enforces NetworkPolicies, each of them is told so: a test that hopes for a refusal means nothing. */
import { tellOf } from '../../cluster/api/object-events.ts'
import { follow } from '../../cluster/api/watch.ts'
import { policyOf } from '../../cluster/network-policy/policy.ts'
import { readerOf } from './admin-rights.ts'
import type { AgentPart } from './agent-part.ts'

export const POLICIES = 'networking.k8s.io/v1 NetworkPolicy'

export const policyNotice: AgentPart = {
  name: 'policy-notice',
  run: async context => {
    const { say, signal, settings } = context
    const open = readerOf(context)
    const tell = tellOf(open, say)
    await follow(
      open,
      {
        collection: '/apis/networking.k8s.io/v1/networkpolicies',
        keep: policyOf,
        onState: async policies => {
          for (const policy of policies) await tell(POLICIES, policy, 'NotEnforced', String(settings.reason))
        },
        onFault: say,
      },
      signal,
    )
  },
}
