/** Several control planes on one machine: the API answers whichever of them fails, and when its balancer is killed. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { LocalNode } from '../../lib/machine/local-node/local-node.ts'
import { openMachine } from './machine.ts'
import { changesSince, type MachineState, readMachineState } from './machine-state.ts'
import { bundle, run, until } from './programs.ts'

const { targets, skipped } = await openMachine()
for (const reason of skipped) test('several control planes', { skip: reason }, () => {})

const PLANES = 3
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml'

for (const target of targets) {
  const { version } = target
  let before: MachineState = {}
  let up = false
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const connection = ['--kubeconfig', '/etc/kubernetes/admin.conf', '--request-timeout', '5s']
    const { status, stdout, stderr } = await run([target.kubectl, ...connection, ...args])
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const words = async (...args: readonly string[]): Promise<string[]> =>
    (await kubectl(...args)).split(/\s+/).filter(Boolean)
  const conditions = (): Promise<string[]> =>
    words('get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')
  /** Nodes, and the API server of each: those of a node that failed a moment ago still count as ready. */
  const allReady = async (): Promise<boolean> => {
    const addresses = await words(
      ...['get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}'],
    )
    const servers = addresses.map(address => `https://${address.includes(':') ? `[${address}]` : address}:6443`)
    await Promise.all(servers.map(server => kubectl('--server', server, 'get', '--raw', '/readyz')))
    return servers.length === PLANES && (await conditions()).every(status => status === 'True')
  }
  const node = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(bundle('node', ...args))
    assert.equal(status, 0, stderr)
    return stdout
  }
  const further = async (): Promise<string[]> =>
    (await node('list')).split('\n').flatMap(line => line.split('\t')[0] || [])
  /** Something is written, which etcd's majority has to agree on. */
  const written = async (): Promise<boolean> => {
    const label = `try=${Date.now()}`
    await kubectl('label', '--overwrite', 'namespace', 'default', label)
    return true
  }
  const members = async (): Promise<string[]> =>
    words('get', 'pods', '-n', 'kube-system', '-l', 'component=etcd', '-o', 'jsonpath={.items[*].metadata.name}')

  test(`Kubernetes ${version}: init --control-planes ${PLANES}`, async () => {
    before = readMachineState()
    const args = [
      '--artifacts',
      target.artifacts,
      ...target.args,
      '--profile',
      'ci',
      '--control-planes',
      String(PLANES),
    ]
    const { status, stderr } = await run(bundle('init', ...args))
    // What a failed one leaves is not in the way of other tests.
    if (status !== 0) await run(bundle('reset'))
    assert.equal(status, 0, stderr)
    up = true
  })

  const inCluster = (what: string, body: () => Promise<void>): void => {
    test(`Kubernetes ${version}, ${PLANES} control planes: ${what}`, async t => {
      if (up) await body()
      else t.skip('there is no cluster')
    })
  }

  inCluster('all are ready, with a member of etcd and a part of the control plane each', async () => {
    const names = await words(
      ...['get', 'nodes', '-l', 'node-role.kubernetes.io/control-plane', '-o', 'jsonpath={.items[*].metadata.name}'],
    )
    assert.equal(names.length, PLANES)
    assert.ok(await allReady())
    assert.equal((await members()).length, PLANES)
  })

  for (const [index, failure] of ['stop', 'freeze'].entries()) {
    inCluster(`the API takes writes after ${failure} of one of them, which comes back`, async () => {
      const name = (await further())[index] ?? ''
      await node(failure, name)
      await until('the API takes writes', written)
      await node('start', name)
      await until('all are ready', allReady)
    })
  }

  inCluster('the API takes writes when the first process of one of them is killed', async () => {
    const [name = ''] = await further()
    const record = JSON.parse(readFileSync(`/var/lib/kubestep/nodes/${name}/node.json`, 'utf8')) as LocalNode
    process.kill(record.process?.pid ?? 0, 'SIGKILL')
    await until('the API takes writes', written)
    await node('start', name)
    await until('all are ready', allReady)
  })

  inCluster("the API takes writes without the machine's own API server", async () => {
    const text = readFileSync(MANIFEST, 'utf8')
    rmSync(MANIFEST)
    await until('the API takes writes', written)
    writeFileSync(MANIFEST, text, { mode: 0o600 })
    await until('all are ready', allReady)
  })

  inCluster('the balancer comes back when it is killed', async () => {
    const [pid = ''] = (await run(['pgrep', '-f', 'agent.mjs .*api-balancer.json'])).stdout.split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await until('the API takes writes', written)
  })

  inCluster('one that is deleted leaves etcd, too, and the others go on', async () => {
    const name = (await further()).at(-1) ?? ''
    await node('delete', name)
    await until('the API takes writes', written)
    await until('its Node is gone', async () => (await conditions()).length === PLANES - 1)
  })

  inCluster('reset leaves nothing of any of them', async () => {
    const { status, stderr } = await run(bundle('reset'))
    assert.equal(status, 0, stderr)
    assert.deepEqual(await changesSince(before), [])
  })
}
