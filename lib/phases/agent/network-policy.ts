/** NetworkPolicies: a table of nftables in each network of this machine, as the API has policies, Pods and Namespaces. */
import { existsSync } from 'node:fs'
import { reasonOf } from '../../base/errors.ts'
import { once } from '../../base/once.ts'
import { LAYOUT } from '../../base/paths.ts'
import { followAll } from '../../cluster/api/follow-all.ts'
import { tellOf } from '../../cluster/api/object-events.ts'
import { follow, newest } from '../../cluster/api/watch.ts'
import { type PolicyState, podRules } from '../../cluster/network-policy/pod-rules.ts'
import {
  type Policy,
  type PolicyNamespace,
  type PolicyPod,
  policyNamespace,
  policyOf,
  policyPod,
} from '../../cluster/network-policy/policy.ts'
import { removeFiles, writeFiles } from '../../machine/files.ts'
import { nodePlaces } from '../../machine/local-node/node-place.ts'
import { type PolicyTable, policyText, setPolicyTable } from '../../machine/network/policy-table.ts'
import type { PodName } from '../../supply/runtime/sandbox-names.ts'
import { readerOf } from './admin-rights.ts'
import type { AgentPart } from './agent-part.ts'
import { POLICIES } from './policy-notice.ts'
import { followSandboxes } from './sandbox-pods.ts'

/** What this part is set up with. */
export interface NetworkPolicySettings {
  readonly podSubnets: readonly string[]
  /** Whether kube-proxy's mode is ipvs. */
  readonly ipvs?: boolean
}

const LOOK_AGAIN_MS = 30_000

/** When Pods are followed at the latest: a first policy counts at once then, however many there are. */
const CALM_MS = 10_000

export const networkPolicy: AgentPart = {
  name: 'network-policy',
  run: async context => {
    const { node, say, signal } = context
    const settings = context.settings as unknown as NetworkPolicySettings
    const open = readerOf(context)
    const tell = tellOf(open, say)
    let policies: readonly Policy[] | undefined
    let others: Omit<PolicyState, 'policies'> | undefined
    let early: ReadonlyMap<string, PodName> = new Map()
    // By the network that it is in; absent as long as nobody knows what an earlier agent left.
    const present = new Map<string, string>()
    const settle = newest(
      async () => {
        if (policies === undefined || (policies.length > 0 && others === undefined)) return
        const { pods, namespaces } = others ?? { pods: [], namespaces: [] }
        const table = tableOf({ policies, namespaces, pods: withEarly(pods, early) }, settings)
        const isMarked = existsSync(LAYOUT.policies)
        // There is nothing to take away.
        if (table === undefined && !isMarked) return
        if (!isMarked) writeFiles('/', [{ path: LAYOUT.policies, mode: 0o644, content: '' }])
        const text = policyText(table)
        const running = nodePlaces(node).flatMap(({ enter }) => (enter === undefined ? [] : [enter]))
        for (const key of present.keys()) if (running.every(enter => enter.join() !== key)) present.delete(key)
        for (const enter of running) {
          const key = enter.join()
          if (present.get(key) === text) continue
          try {
            await setPolicyTable(text, enter)
          } catch (error) {
            // One that has stopped meanwhile has no Pods.
            if (nodePlaces(node).every(place => place.enter?.join() !== key)) continue
            for (const policy of policies)
              await tell(POLICIES, policy, 'NotEnforced', `on node ${node}: ${reasonOf(error)}`)
            throw error
          }
          present.set(key, text)
        }
        if (table === undefined) removeFiles('/', [LAYOUT.policies])
      },
      say,
      signal,
    )
    // Whoever flushes all rules of a machine takes these along; kube-proxy looks after its own as often.
    const again = setInterval(() => {
      if (policies === undefined || policies.length === 0) return
      present.clear()
      settle()
    }, LOOK_AGAIN_MS)
    const followEarly = once(() =>
      followSandboxes(context, pods => {
        early = pods
        settle()
      }),
    )
    const followOthers = once(() => {
      void followAll<{ pods: PolicyPod; namespaces: PolicyNamespace }>(
        open,
        {
          collections: {
            pods: { collection: '/api/v1/pods', keep: policyPod },
            namespaces: { collection: '/api/v1/namespaces', keep: policyNamespace },
          },
          onState: async now => {
            others = now
            settle()
          },
          onFault: say,
        },
        signal,
      )
    })
    const calm = setTimeout(followOthers, CALM_MS)
    signal.addEventListener('abort', () => {
      clearInterval(again)
      clearTimeout(calm)
    })
    await follow(
      open,
      {
        collection: '/apis/networking.k8s.io/v1/networkpolicies',
        keep: policyOf,
        onState: async now => {
          policies = now
          if (now.length > 0) {
            followEarly()
            followOthers()
          }
          settle()
        },
        onFault: say,
      },
      signal,
    )
  },
}

/** Without a policy there is no table, and nothing to pay for. */
export function tableOf(state: PolicyState, settings: NetworkPolicySettings): PolicyTable | undefined {
  return state.policies.length === 0 ? undefined : { pods: podRules(state), ...settings }
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
