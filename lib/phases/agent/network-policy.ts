/** NetworkPolicies: what they allow is a table of nftables on this machine, for as long as there are any. */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAddress, parseAddress } from '../../base/address.ts'
import { reasonOf } from '../../base/errors.ts'
import { followAll } from '../../cluster/api/follow-all.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import { newest } from '../../cluster/api/watch.ts'
import { type PolicyState, podRules } from '../../cluster/network-policy/pod-rules.ts'
import {
  type Policy,
  type PolicyNamespace,
  type PolicyPod,
  policyNamespace,
  policyOf,
  policyPod,
} from '../../cluster/network-policy/policy.ts'
import { givenAddresses, watchAddresses } from '../../machine/network/given-addresses.ts'
import { type PolicyTable, setPolicyTable } from '../../machine/network/policy-table.ts'
import { type PodName, sandboxPod } from '../../supply/runtime/sandbox-names.ts'
import { adminOf } from './admin-rights.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'
import { POLICIES } from './policy-notice.ts'

/** What this part is set up with. */
export interface NetworkPolicySettings {
  readonly podSubnets: readonly string[]
}

/** How long a sandbox may take to be written down, and how often it is looked for. */
const SANDBOX_LIMIT_MS = 10_000
const SANDBOX_POLL_MS = 20

export const networkPolicy: AgentPart = {
  name: 'network-policy',
  run: async context => {
    const { say, signal } = context
    const { podSubnets } = context.settings as unknown as NetworkPolicySettings
    const admin = adminOf(context)
    const tell = tellOf(admin, say)
    let state: PolicyState | undefined
    let early: ReadonlyMap<string, PodName> = new Map()
    // Undefined as long as nobody knows what an earlier agent left.
    let present: string | undefined
    const settle = newest(
      async () => {
        if (state === undefined) return
        const table = tableOf({ ...state, pods: withEarly(state.pods, early) }, podSubnets)
        const text = JSON.stringify(table) ?? 'none'
        if (text === present) return
        try {
          await setPolicyTable(table)
        } catch (error) {
          for (const policy of state.policies) await tell(POLICIES, policy, 'NotEnforced', reasonOf(error))
          throw error
        }
        present = text
      },
      say,
      signal,
    )
    followSandboxes(context, pods => {
      early = pods
      settle()
    })
    await followAll<{ policies: Policy; pods: PolicyPod; namespaces: PolicyNamespace }>(
      admin,
      {
        collections: {
          policies: { collection: '/apis/networking.k8s.io/v1/networkpolicies', keep: policyOf },
          pods: { collection: '/api/v1/pods', keep: policyPod },
          namespaces: { collection: '/api/v1/namespaces', keep: policyNamespace },
        },
        onState: async now => {
          state = now
          settle()
        },
        onFault: say,
      },
      signal,
    )
  },
}

/** Without a policy there is no table, and nothing to pay for. */
export function tableOf(state: PolicyState, podSubnets: readonly string[]): PolicyTable | undefined {
  return state.policies.length === 0 ? undefined : { pods: podRules(state), podSubnets }
}

/** Pods with the addresses that they have been given and the API has not heard of; an address is one Pod's alone. */
export function withEarly(pods: readonly PolicyPod[], early: ReadonlyMap<string, PodName>): PolicyPod[] {
  const owner = new Map<string, string>()
  for (const { uid, addresses } of pods.toSorted((a, b) => (a.since < b.since ? -1 : 1))) {
    for (const address of addresses) owner.set(address, uid)
  }
  const named = new Map(pods.filter(({ isOpen }) => isOpen).map(pod => [`${pod.namespace}/${pod.name}`, pod]))
  for (const [address, { namespace, name }] of early) {
    const pod = named.get(`${namespace}/${name}`)
    if (pod !== undefined) owner.set(address, pod.uid)
  }
  const of = new Map<string, string[]>()
  for (const [address, uid] of owner) of.set(uid, [...(of.get(uid) ?? []), address])
  return pods.map(pod => ({ ...pod, addresses: of.get(pod.uid) ?? [] }))
}

/** Tells which Pods have which addresses, as soon as the runtime says for whom a sandbox is. */
function followSandboxes({ say, signal }: AgentContext, onPods: (pods: ReadonlyMap<string, PodName>) => void): void {
  const known = new Map<string, PodName>()
  const look = newest(
    async () => {
      const end = performance.now() + SANDBOX_LIMIT_MS
      for (;;) {
        const given = givenAddresses()
        const fresh = [...given.values()].filter(id => !known.has(id))
        for (const id of fresh) {
          const pod = sandboxPod(id)
          if (pod !== undefined) known.set(id, pod)
        }
        for (const id of known.keys()) if (![...given.values()].includes(id)) known.delete(id)
        const found = [...given].flatMap(([address, id]) => {
          const [pod, read] = [known.get(id), parseAddress(address)]
          return pod === undefined || read === undefined ? [] : [[formatAddress(read), pod] as const]
        })
        onPods(new Map(found))
        if (fresh.every(id => known.has(id)) || performance.now() > end || signal.aborted) return
        await sleep(SANDBOX_POLL_MS)
      }
    },
    say,
    signal,
  )
  try {
    watchAddresses(look, signal)
    look()
  } catch (error) {
    say(`Pods are known a second later: ${reasonOf(error)}`)
  }
}
