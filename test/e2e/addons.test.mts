/** What charts expect of a cluster: volumes, load balancers and NetworkPolicies, on every node, whatever happens to the agent. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import { balanced, CALLERS, chart, PORT } from './chart.ts'
import { ALL } from './extent.ts'
import { openMachine } from './machine.ts'
import { changesSince, type MachineState, readMachineState } from './machine-state.ts'
import { bundle, run, until } from './programs.ts'
import { temporaryFolder } from './temporary.ts'

const { targets, skipped } = await openMachine()
for (const reason of skipped) test('addons', { skip: reason }, () => {})

const SERVICES = 200

/** What a Pod runs to get what a web server says; busybox' wget is of no use when it is static. */
const ask = (host: string, port: number): string =>
  `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${host} ${port} | tail -n 1`

for (const target of targets) {
  const minor = Number(target.version.split('.')[1])
  for (const count of ALL ? [1, 3] : [3]) {
    const named = (what: string): string => `Kubernetes ${target.version}, ${count} nodes: ${what}`
    let before: MachineState = {}
    let up = false

    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const command = [target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf', ...args]
      const { status, stdout, stderr } = await run(command)
      if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
      return stdout
    }
    /** What stands at paths in objects, an object a line. */
    const rows = async (paths: readonly string[], ...args: readonly string[]): Promise<string[][]> => {
      const line = paths.map(path => `{${path}}`).join('{"\\t"}')
      const output = await kubectl('get', ...args, '-o', `jsonpath={range .items[*]}${line}{"\\n"}{end}`)
      return output.split('\n').flatMap(text => (text === '' ? [] : [text.split('\t')]))
    }
    const apply = async (object: JsonObject): Promise<void> => {
      const file = join(temporaryFolder(), 'objects.json')
      writeFileSync(file, JSON.stringify(object))
      await kubectl('apply', '-f', file)
    }
    const podsOf = (app: string): Promise<string[][]> =>
      rows(['.metadata.name', '.spec.nodeName', '.status.podIP'], 'pods', '-l', `app=${app}`)
    /** What all Pods of an app hear when they ask all these addresses at once. */
    const answers = async (app: string, addresses: readonly string[], port: number): Promise<string[][]> => {
      const script = `${addresses.map(address => `(${ask(address, port)}) &`).join(' ')} wait`
      const pods = await podsOf(app)
      return Promise.all(
        pods.map(async ([pod = '']) =>
          (await kubectl('exec', pod, '--', 'sh', '-c', script)).split('\n').filter(Boolean),
        ),
      )
    }
    const enforced = async (): Promise<void> => {
      const databases = await podsOf('db')
      const addresses = databases.map(([, , address = '']) => address)
      const names = databases.map(([name = '']) => name).sort()
      const [client = [], stranger = []] = await Promise.all(CALLERS.map(app => answers(app, addresses, PORT)))
      assert.deepEqual([client.length, stranger.length], [count, count])
      for (const heard of client) assert.deepEqual(heard.sort(), names)
      for (const heard of stranger) assert.deepEqual(heard, [])
    }

    test(named('init'), async () => {
      before = readMachineState()
      const nodes = count === 1 ? [] : ['--nodes', String(count)]
      const args = ['--artifacts', target.artifacts, ...target.args, '--profile', 'ci', ...nodes]
      const { status, stderr } = await run(bundle('init', ...args))
      if (status !== 0) await run(bundle('reset'))
      assert.equal(status, 0, stderr)
      up = true
    })

    const inCluster = (what: string, body: () => Promise<void>): void => {
      test(named(what), async t => {
        if (up) await body()
        else t.skip('there is no cluster')
      })
    }

    inCluster('all that a chart brings comes up', async () => {
      await apply(chart(count, minor))
      for (const name of ['statefulset/db', 'deployment/web', ...CALLERS.map(app => `daemonset/${app}`)])
        await kubectl('rollout', 'status', name, '--timeout=100s')
      await kubectl('create', 'job', 'now', '--from=cronjob/tick')
      await kubectl('wait', '--for=condition=complete', 'job/now', '--timeout=60s')
      await until('the budget allows one', async () => {
        const [allowed] = await rows(['.status.disruptionsAllowed'], 'poddisruptionbudgets')
        return allowed?.[0] === '1'
      })
    })

    inCluster('each claim is a folder of the node that its Pod is on, and whoever it runs as writes', async () => {
      const databases = await podsOf('db')
      assert.equal(new Set(databases.map(([, node]) => node)).size, count)
      const claim = '.spec.claimRef.name'
      const host = '.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]'
      const volumes = new Map((await rows([claim, host], 'persistentvolumes')).map(([name, node]) => [name, node]))
      for (const [name, node] of databases) assert.equal(volumes.get(`data-${name}`), node)
    })

    inCluster('the NetworkPolicy counts on every node', enforced)

    inCluster('the load balancer is reached from here, and from Pods on every node', async () => {
      const [[address = ''] = []] = await until('it has an address', async () => {
        const found = await rows(
          ['.status.loadBalancer.ingress[0].ip'],
          'services',
          '--field-selector',
          'metadata.name=web',
        )
        return found.length > 0 && found
      })
      const names = (await podsOf('web')).map(([name]) => name)
      const heard = new Set<string>()
      await until('every Pod has answered', async () => {
        const response = await fetch(`http://${address}`, { signal: AbortSignal.timeout(5000) })
        heard.add((await response.text()).trim())
        return names.every(name => heard.has(name ?? ''))
      })
      for (const [name = ''] of await answers('client', [address], 80)) assert.ok(names.includes(name), name)
    })

    inCluster('an agent that is killed comes back, and nothing is lost', async () => {
      const first = agentPids()
      assert.equal(first.length, 1)
      process.kill(first[0] as number, 'SIGKILL')
      await enforced()
      await until('another one runs', async () => agentPids().some(pid => pid !== first[0]))
      await kubectl('delete', 'pod', 'db-0', '--wait')
      await kubectl('rollout', 'status', 'statefulset/db', '--timeout=60s')
      await enforced()
    })

    inCluster(`${SERVICES} Services have an address each`, async () => {
      const items = Array.from({ length: SERVICES }, (_none, index) => balanced(`many-${index}`))
      await apply({ apiVersion: 'v1', kind: 'List', items })
      const all = await until('all have one', async () => {
        const found = await rows(['.spec.type', '.status.loadBalancer.ingress[0].ip'], 'services')
        const addresses = found.flatMap(([type, address]) => (type === 'LoadBalancer' && address ? [address] : []))
        return addresses.length === SERVICES + 1 && addresses
      })
      assert.equal(new Set(all).size, SERVICES + 1)
    })

    inCluster('with its claim a volume goes, and its folder', async () => {
      await kubectl('delete', 'statefulset', 'db', '--wait')
      await kubectl('delete', 'persistentvolumeclaims', '--all', '--wait')
      await until('no volume is left', async () => (await rows(['.metadata.name'], 'persistentvolumes')).length === 0)
      await until('no folder is left', async () => readdirSync(LAYOUT.volumes).length === 0)
    })

    inCluster('reset leaves no rule, address, process or folder', async () => {
      const { status, stderr } = await run(bundle('reset'))
      assert.equal(status, 0, stderr)
      assert.deepEqual(await changesSince(before), [])
    })
  }
}

/** Processes of this machine that run the agent itself; those of machines on it are seen, too. */
function agentPids(): number[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      const isHere = readlinkSync(`/proc/${name}/ns/pid`) === readlinkSync('/proc/self/ns/pid')
      return isHere && words.includes(`${LAYOUT.services}/agent.mjs`) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}
