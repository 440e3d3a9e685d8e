/**
 * Real Kubernetes on this machine, with each profile: up with every gate, used as a user would, and away without a trace.
 * Needs root; see the README for what it runs on.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GATES } from '../../lib/cluster/ready/gates.ts'
import { openMachine } from './machine.ts'
import { changesSince, type MachineState, readMachineState } from './machine-state.ts'
import { bundle, run, until } from './programs.ts'
import { ownAddress, type Target } from './targets.ts'
import { temporaryFolder } from './temporary.ts'
import { plantUserThings } from './user-things.ts'
import { NODE_PORT, REPLICAS, workload } from './workload.ts'

const { targets, skipped } = await openMachine()
for (const reason of skipped) test('a real cluster', { skip: reason }, () => {})

for (const target of targets) {
  const { version, hasDns } = target
  for (const profile of ['kubeadm', 'ci']) {
    const init = bundle('init', '--artifacts', target.artifacts, ...target.args, '--profile', profile)
    const named = (what: string): string => `Kubernetes ${version}, profile ${profile}: ${what}`
    let before: MachineState = {}
    let removeOldThings = (): void => {}
    let removeNewThings = (): void => {}
    let up = false

    test(named('init ends when every gate holds'), async () => {
      removeOldThings = plantUserThings('old')
      before = readMachineState()
      const { status, stdout, stderr } = await run(init)
      assert.equal(status, 0, stderr)
      for (const { name } of GATES.filter(gate => hasDns || gate.name !== 'dns')) {
        assert.match(stdout, new RegExp(`^\\[ready\\] ${name} after `, 'm'))
      }
      up = true
      removeNewThings = plantUserThings('new')
    })

    const inCluster = (what: string, body: () => Promise<void>): void => {
      test(named(what), async t => {
        if (up) await body()
        else t.skip('there is no cluster')
      })
    }

    inCluster('its node and all of its Pods are ready', async () => {
      const [node] = await get(target, 'nodes')
      assert.equal(node?.status.nodeInfo.kubeletVersion, version)
      await until('all Pods of kube-system are ready', async () => {
        const pods = await get(target, 'pods', '-n', 'kube-system')
        return pods.length >= 5 && pods.every(isReady)
      })
    })

    inCluster('a Deployment is reached through its Service, by every Pod of it', async () => {
      const file = join(temporaryFolder(), 'workload.json')
      writeFileSync(file, JSON.stringify(workload()))
      await kubectl(target, 'apply', '-f', file)
      const pods = await until('web and client are ready', async () => {
        const found = await get(target, 'pods')
        return found.length === REPLICAS + 1 && found.every(isReady) ? found.map(nameOf) : undefined
      })
      const web = pods.filter(name => name.startsWith('web-'))
      const [service] = await get(target, 'services', '--field-selector', 'metadata.name=web')
      const hosts = [service?.spec.clusterIP, ...(hasDns ? ['web', 'web.default.svc.cluster.local'] : [])]
      for (const host of hosts) {
        await reaches(web, `http://${host}`, () =>
          kubectl(target, 'exec', 'client', '--', 'timeout', '5', 'wget', '-q', '-O', '-', `http://${host}`),
        )
      }
    })

    inCluster('a Deployment is reached through its node port', async () => {
      const web = (await get(target, 'pods', '-l', 'app=web')).map(nameOf)
      const url = `http://${ownAddress()}:${NODE_PORT}`
      await reaches(web, url, async () => (await fetch(url, { signal: AbortSignal.timeout(5000) })).text())
    })

    inCluster('logs and exec work', async () => {
      const [pod = ''] = (await get(target, 'pods', '-l', 'app=web')).map(nameOf)
      assert.equal(await kubectl(target, 'logs', pod), 'serving\n')
      assert.equal(await kubectl(target, 'exec', pod, '--', 'hostname'), `${pod}\n`)
    })

    inCluster('a second init refuses and leaves the cluster alone', async () => {
      const { status, stderr } = await run(init)
      assert.equal(status, 1)
      assert.match(stderr, /^init: cannot set up a cluster: there is one on this machine/)
      assert.equal((await get(target, 'nodes')).length, 1)
    })

    test(named('reset leaves nothing of ours and all of the user’s'), async () => {
      const { status, stderr } = await run(bundle('reset'))
      try {
        // Each of them fails when its thing is gone.
        removeNewThings()
        assert.equal(status, 0, stderr)
        assert.deepEqual(await changesSince(before), [])
        const again = await run(bundle('reset'))
        assert.equal(again.status, 0)
        assert.match(again.stdout, /Nothing to do/)
      } finally {
        removeOldThings()
      }
    })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, asserted on field by field.
type Found = any

async function kubectl(target: Target, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run([target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf', ...args])
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function get(target: Target, ...args: readonly string[]): Promise<readonly Found[]> {
  return JSON.parse(await kubectl(target, 'get', ...args, '-o', 'json')).items
}

function isReady({ status }: Found): boolean {
  return (
    status.conditions?.some((condition: Found) => condition.type === 'Ready' && condition.status === 'True') ?? false
  )
}

function nameOf({ metadata }: Found): string {
  return metadata.name
}

/** Asks again and again until every one of the Pods has answered. */
async function reaches(pods: readonly string[], what: string, ask: () => Promise<string>): Promise<void> {
  assert.equal(pods.length, REPLICAS)
  const heard = new Set<string>()
  await until(`${what} is answered by ${pods.join(' and ')}`, async () => {
    heard.add((await ask()).trim())
    return pods.every(pod => heard.has(pod))
  })
  assert.deepEqual([...heard].sort(), [...pods].sort())
}
