/** Which Pods of this machine's nodes have which addresses, as soon as the runtime says for whom a sandbox is. */
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAddress, parseAddress } from '../../base/address.ts'
import { reasonOf } from '../../base/errors.ts'
import { newest } from '../../cluster/api/watch.ts'
import { folderWatch } from '../../machine/folder-watch.ts'
import { nodeFolders, nodePlaces } from '../../machine/local-node/node-place.ts'
import { GIVEN_ADDRESSES, givenAddresses } from '../../machine/network/given-addresses.ts'
import { type PodName, RUNTIME_STATES, sandboxPod } from '../../supply/runtime/sandbox-names.ts'
import type { AgentContext } from './agent-part.ts'

/** How long a sandbox may take to be written down, and how often it is looked for. */
const SANDBOX_LIMIT_MS = 10_000
const SANDBOX_POLL_MS = 20

/** Tells of them after each change, and when nodes of this machine start. */
export function followSandboxes(
  { node, say, signal }: AgentContext,
  onPods: (pods: ReadonlyMap<string, PodName>) => void,
): void {
  const known = new Map<string, PodName>()
  const look = newest(
    async () => {
      const end = performance.now() + SANDBOX_LIMIT_MS
      for (;;) {
        const places = nodePlaces(node)
        watchAll([...nodeFolders(), ...places.map(({ at }) => at(GIVEN_ADDRESSES))])
        const given = places.flatMap(({ at }) =>
          [...givenAddresses(at(GIVEN_ADDRESSES))].map(([address, id]) => ({ address, id, at })),
        )
        const fresh = given.filter(({ id }) => !known.has(id))
        for (const { id, at } of fresh) {
          const pod = sandboxPod(id, RUNTIME_STATES.map(at))
          if (pod !== undefined) known.set(id, pod)
        }
        const ids = new Set(given.map(({ id }) => id))
        for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
        const found = given.flatMap(({ address, id }) => {
          const [pod, read] = [known.get(id), parseAddress(address)]
          return pod === undefined || read === undefined ? [] : [[formatAddress(read), pod] as const]
        })
        onPods(new Map(found))
        if (fresh.every(({ id }) => known.has(id)) || performance.now() > end || signal.aborted) return
        await sleep(SANDBOX_POLL_MS)
      }
    },
    say,
    signal,
  )
  const watchFolders = folderWatch(look, signal)
  let isBlind = false
  const watchAll = (folders: readonly string[]): void => {
    try {
      watchFolders(folders)
      isBlind = false
    } catch (error) {
      if (!isBlind) say(`Pods are known a second later: ${reasonOf(error)}`)
      isBlind = true
    }
  }
  mkdirSync(GIVEN_ADDRESSES, { recursive: true, mode: 0o755 })
  look()
}
