/**
 * From nothing to a Pod to as it was, again and again, by each road: nothing grows. KUBESTEP_E2E_ROUNDS says how often.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { init, onMachine, succeeded } from './attempt.ts'
import { ROUNDS } from './extent.ts'
import { jobOf, kubectlOf, nextStep, noJobs } from './jobs.ts'
import { changesSince, readMachineState, sizes } from './machine-state.ts'
import { bundle, run } from './programs.ts'
import { makeRunnerUser } from './runner-user.ts'
import type { Target } from './targets.ts'
import { type Kubectl, runPod } from './workload.ts'

interface Cluster {
  readonly kubectl: Kubectl
  readonly down: () => Promise<void>
}

interface Road {
  readonly name: string
  /** Why it cannot be gone here. */
  readonly closed?: string | undefined
  /** What it needs is made once, before the machine is looked at. */
  readonly open: () => (target: Target) => Promise<Cluster>
}

const ROADS: readonly Road[] = [
  {
    name: 'the scripts',
    open: () => async target => {
      succeeded(await run(init(target)))
      const kubectl = [target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf']
      return {
        kubectl: async (...args) => {
          const ended = await run([...kubectl, ...args])
          succeeded(ended)
          return ended.stdout
        },
        down: async () => succeeded(await run(bundle('reset'))),
      }
    },
  },
  {
    name: 'the action, as a user with sudo',
    closed: noJobs(),
    open: () => {
      const user = makeRunnerUser()
      return async target => {
        const job = jobOf(target, user)
        const main = await job.main()
        assert.equal(main.status, 0, main.raw)
        return {
          kubectl: kubectlOf(nextStep(job, main, user)),
          down: async () => {
            const post = await job.post('success')
            assert.equal(post.status, 0, post.raw)
            assert.deepEqual(post.annotations, [], post.raw)
            job.end()
          },
        }
      }
    },
  },
]

for (const { name, closed, open } of ROADS) {
  const title = `${ROUNDS} rounds by ${name}: from nothing to a Pod to as it was`
  const body = async (target: Target, say: (line: string) => void): Promise<void> => {
    const up = open()
    const before = readMachineState()
    say(`before: ${JSON.stringify(sizes(before))}`)
    for (let round = 1; round <= ROUNDS; round++) {
      const start = performance.now()
      const cluster = await up(target)
      await runPod(cluster.kubectl)
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      const during = sizes(readMachineState())
      await cluster.down()
      const after = readMachineState()
      say(
        `round ${round}: a Pod after ${seconds} s; up ${JSON.stringify(during)}; down ${JSON.stringify(sizes(after))}`,
      )
      assert.deepEqual(await changesSince(before), [])
    }
  }
  if (closed === undefined) onMachine(title, body)
  else test(title, { skip: closed }, () => {})
}
