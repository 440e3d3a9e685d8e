/** Several nodes on one machine: they reach one another, fail, come back and go, and nothing stays. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { openMachine } from './machine.ts'
import { changesSince, type MachineState, readMachineState } from './machine-state.ts'
import { bundle, run, until } from './programs.ts'
import { TEST_IMAGE } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

const { targets, skipped } = await openMachine()
for (const reason of skipped) test('several nodes', { skip: reason }, () => {})

const NODES = 3
const PORTS = { pod: 8080, host: 18080, node: 30081 } as const

/** On every node a web server that says its name, one more with the node's own network, and two Services before them. */
function everywhere(): JsonObject {
  const daemonSet = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { tolerations: [{ operator: 'Exists' }], terminationGracePeriodSeconds: 0, ...spec },
      },
    },
  })
  const container = { image: TEST_IMAGE, imagePullPolicy: 'Never' }
  const serve = `mkdir -p /www; hostname >/www/index.html; exec httpd -f -p ${PORTS.pod} -h /www`
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      daemonSet('web', {
        containers: [
          {
            ...container,
            name: 'web',
            command: ['sh', '-c', serve],
            ports: [{ containerPort: PORTS.pod, hostPort: PORTS.host }],
            readinessProbe: { tcpSocket: { port: PORTS.pod }, periodSeconds: 1 },
          },
        ],
      }),
      daemonSet('host', {
        hostNetwork: true,
        containers: [{ ...container, name: 'host', command: ['sleep', '1000000'] }],
      }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: {
          type: 'NodePort',
          selector: { app: 'web' },
          ports: [{ port: 80, targetPort: PORTS.pod, nodePort: PORTS.node }],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'peers' },
        spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: PORTS.pod }] },
      },
    ],
  }
}

/** What a Pod runs to ask a web server; busybox' wget is of no use when it is static. */
const ask = (host: string, port: number): string =>
  `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${host} ${port} | grep -q '200 OK'`

for (const target of targets) {
  const { version, hasDns } = target
  let before: MachineState = {}
  let up = false
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run([
      target.kubectl,
      '--kubeconfig',
      '/etc/kubernetes/admin.conf',
      ...args,
    ])
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const words = async (...args: readonly string[]): Promise<string[]> =>
    (await kubectl(...args)).split(/\s+/).filter(Boolean)
  const isReady = async (node: string): Promise<string> =>
    kubectl('get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
  const node = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(bundle('node', ...args))
    assert.equal(status, 0, stderr)
    return stdout
  }
  const workers = async (): Promise<string[]> =>
    (await node('list')).split('\n').flatMap(line => line.split('\t')[0] || [])

  test(`Kubernetes ${version}: init --nodes ${NODES}`, async () => {
    before = readMachineState()
    const args = ['--artifacts', target.artifacts, ...target.args, '--profile', 'ci', '--nodes', String(NODES)]
    const { status, stderr } = await run(bundle('init', ...args))
    // What a failed one leaves is not in the way of other tests.
    if (status !== 0) await run(bundle('reset'))
    assert.equal(status, 0, stderr)
    up = true
  })

  const inCluster = (what: string, body: () => Promise<void>): void => {
    test(`Kubernetes ${version}, ${NODES} nodes: ${what}`, async t => {
      if (up) await body()
      else t.skip('there is no cluster')
    })
  }

  inCluster('all are ready, in zones of their own', async () => {
    const names = await words('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')
    assert.equal(names.length, NODES)
    for (const name of names) assert.equal(await isReady(name), 'True', name)
    const zones = await words(
      'get',
      'nodes',
      '-o',
      'jsonpath={.items[*].metadata.labels.topology\\.kubernetes\\.io/zone}',
    )
    assert.equal(new Set(zones).size, NODES)
  })

  inCluster('Pods on each reach each other, Services, ports of every node, names and the API', async () => {
    const file = join(temporaryFolder(), 'everywhere.json')
    writeFileSync(file, JSON.stringify(everywhere()))
    await kubectl('apply', '-f', file)
    for (const name of ['web', 'host']) await kubectl('rollout', 'status', `daemonset/${name}`, '--timeout=120s')
    const pods = await words('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}')
    const addresses = await words('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].status.podIP}')
    const nodes = await words('get', 'pods', '-l', 'app=host', '-o', 'jsonpath={.items[*].status.hostIP}')
    const [service = ''] = await words('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
    const [api = ''] = await words('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}')
    assert.equal(new Set(nodes).size, NODES)
    const questions = [
      ...addresses.map(address => ask(address, PORTS.pod)),
      ask(service, 80),
      ...nodes.flatMap(address => [ask(address, PORTS.node), ask(address, PORTS.host)]),
      `nc -w 5 ${api} 443 </dev/null`,
      ...(hasDns
        ? [`test $(nslookup peers.default.svc.cluster.local | grep -c '^Address.*10\\.244') -eq ${NODES}`]
        : []),
    ]
    for (const pod of pods) for (const question of questions) await kubectl('exec', pod, '--', 'sh', '-c', question)
  })

  inCluster('a Pod with the network of its node has its name and its address', async () => {
    const rows = await kubectl(
      ...['get', 'pods', '-l', 'app=host', '-o'],
      'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.hostIP}{"\\n"}{end}',
    )
    for (const row of rows.trim().split('\n')) {
      const [pod = '', name = '', address = ''] = row.split(' ')
      assert.equal((await kubectl('exec', pod, '--', 'hostname')).trim(), name)
      assert.match(
        await kubectl('exec', pod, '--', 'ip', '-o', 'addr'),
        new RegExp(` ${address.replaceAll('.', '\\.')}/`),
      )
    }
  })

  for (const failure of ['freeze', 'partition', 'stop']) {
    inCluster(`after ${failure} a node is not ready, and after start it is again`, async () => {
      const [name = ''] = await workers()
      await node(failure, name)
      await until('the node is not ready', async () => (await isReady(name)) !== 'True')
      await node('start', name)
      await until('the node is ready', async () => (await isReady(name)) === 'True')
    })
  }

  inCluster('a node that is deleted is gone, and the others go on', async () => {
    const name = (await workers()).at(-1) ?? ''
    await kubectl('drain', name, '--ignore-daemonsets', '--force', '--delete-emptydir-data', '--timeout=60s')
    const bridge = (): string => readFileSync('/sys/class/net/kubestep0/address', 'utf8')
    const address = bridge()
    await node('delete', name)
    assert.equal(bridge(), address, 'where the others send to')
    const names = await words('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')
    assert.equal(names.length, NODES - 1)
    for (const other of names) assert.equal(await isReady(other), 'True', other)
  })

  inCluster('reset leaves nothing of any of them', async () => {
    const { status, stderr } = await run(bundle('reset'))
    assert.equal(status, 0, stderr)
    assert.deepEqual(await changesSince(before), [])
  })
}
