/** A machine that is about to join: what is wrong is said, and nothing changes. It is a world of its own on this one. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pinsOf } from '../../lib/kubeadm/credentials/ca-pins.ts'
import { childrenOf } from '../../lib/machine/host/processes.ts'
import { cgroupRootOf } from '../../lib/machine/local-node/local-groups.ts'
import { type LocalNode, nodeFolder, writeLocalNode } from '../../lib/machine/local-node/local-node.ts'
import { connect, nodeAddresses, readNodeRanges } from '../../lib/machine/local-node/node-network.ts'
import { inWorld, openWorld } from '../../lib/machine/local-node/world.ts'
import { openMachine } from './machine.ts'
import { changesSince, type MachineState, readMachineState } from './machine-state.ts'
import { waitFor } from './moments.ts'
import { bundle, run, start } from './programs.ts'
import { ownAddress, withCluster } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

const { targets, skipped } = await openMachine()
for (const reason of skipped) test('a machine that joins', { skip: reason }, () => {})

const NAME = 'e2e-machine'
/** Far from those that an init gives. */
const INDEX = 99
const NO_SERVER = '127.0.0.1:1'
const PIN = `sha256:${'0'.repeat(64)}`

/** Everything that a join may leave on the machine; the agent makes a folder in which it waits for addresses of Pods. */
function filesOf(name: string): string[] {
  const paths = ['etc-kubernetes', 'kubelet', 'etcd', 'cni', 'cni-conf', 'kubestep'].flatMap(folder =>
    readdirSync(join(nodeFolder(name), folder), { recursive: true }).map(path => `${folder}/${path}`),
  )
  return paths.filter(path => !/^kubestep\/cni(?:\/data(?:\/[^/]+)?)?$/.test(path))
}

for (const given of targets) {
  const server = `${ownAddress()}:6443`
  const target = withCluster(given, `controlPlaneEndpoint: ${server}`)
  const { version, artifacts } = target
  let before: MachineState = {}
  let machine: LocalNode | undefined
  let pin = ''

  const done = async (command: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(command)
    assert.equal(status, 0, stderr)
    return stdout
  }
  const onMachine = (name: string, ...args: readonly string[]): string[] =>
    inWorld(machine ?? assert.fail('there is no machine'), bundle(name, ...args))
  const newToken = async (): Promise<string> => (await done(bundle('token', 'create'))).trim()

  /** A join with a file, as a kubelet beside others on one machine needs some flags. */
  const joining = (discovery: string, more = ''): string[] => {
    const flags = {
      'node-ip': machine?.addresses.join(','),
      'cgroup-root': cgroupRootOf(NAME),
      'cgroup-driver': 'cgroupfs',
    }
    const list = Object.entries(flags).map(([name, value]) => `{ name: ${name}, value: "${value}" }`)
    const file = join(temporaryFolder(), 'join.yaml')
    writeFileSync(
      file,
      `apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: ${discovery}\n${more}nodeRegistration: { name: ${NAME}, kubeletExtraArgs: [${list.join(', ')}] }\n`,
    )
    return onMachine(
      'join',
      ...[
        '--config',
        file,
        '--artifacts',
        artifacts,
        '--runtime',
        'private',
        '--ignore-preflight-errors',
        'CgroupDriver',
      ],
    )
  }
  const byToken = (token: string, endpoint = server, hash = pin): string =>
    `{ bootstrapToken: { token: ${token}, apiServerEndpoint: "${endpoint}", caCertHashes: ["${hash}"] } }`
  test(`Kubernetes ${version}: a cluster that a machine joins`, async () => {
    before = readMachineState()
    const { status, stderr } = await run(
      bundle('init', '--artifacts', artifacts, ...target.args, '--profile', 'ci', '--nodes', '2'),
    )
    if (status !== 0) await run(bundle('reset'))
    assert.equal(status, 0, stderr)
    const ranges = readNodeRanges() ?? []
    const node: LocalNode = {
      name: NAME,
      role: 'worker',
      index: INDEX,
      addresses: nodeAddresses(ranges, INDEX),
      rules: [],
    }
    machine = await openWorld(node)
    writeLocalNode(machine)
    await connect(machine, ranges)
    pin = pinsOf(readFileSync('/etc/kubernetes/pki/ca.crt', 'utf8'))[0] ?? ''
  })

  const inCluster = (what: string, body: () => Promise<void>): void => {
    test(`Kubernetes ${version}, joining: ${what}`, async t => {
      if (machine === undefined) t.skip('there is no machine')
      else await body()
    })
  }

  const refused = async (discovery: string, reason: RegExp, more?: string): Promise<void> => {
    const files = filesOf(NAME)
    const { status, stderr } = await run(joining(discovery, more))
    assert.notEqual(status, 0)
    assert.match(stderr, reason)
    assert.deepEqual(filesOf(NAME), files)
  }

  inCluster('what is wrong is said, and nothing changes', async () => {
    const token = await newToken()
    const [id = '', secret = ''] = token.split('.')
    await refused(
      byToken(`${'z'.repeat(6)}.${secret}`),
      new RegExp(`is unknown there or has expired; those of .*${id}`),
    )
    await refused(byToken(`${id}.${'z'.repeat(16)}`), /is not signed with this token/)
    await refused(byToken(token, server, PIN), /none of its CAs has the hash/)
    await refused(byToken(token, `${ownAddress()}:2379`), /its TLS is not that of an API server|cannot reach/)
    await refused(`${byToken(token, NO_SERVER)}\ntimeouts: { discovery: 1s }`, /nothing listens there/)
    await refused(byToken(token), /"upload-certs"/, `controlPlane: { certificateKey: "${'0'.repeat(64)}" }\n`)
  })

  inCluster('a join that is killed is taken back by reset, and the next one comes through', async () => {
    const files = filesOf(NAME)
    const killed = start(joining(byToken(await newToken())))
    const asking = join(nodeFolder(NAME), 'etc-kubernetes', 'kubelet.conf')
    await waitFor({ about: 'the kubelet asks for its certificate', reached: () => existsSync(asking) }, killed)
    // Whoever enters another namespace of processes waits for the one that is in there.
    for (const pid of childrenOf(killed.pid)) process.kill(pid, 'SIGKILL')
    await killed.ended
    await done(onMachine('reset'))
    assert.deepEqual(filesOf(NAME), files)
    assert.match(await done(joining(byToken(await newToken()))), /This machine is node/)
    await done(onMachine('reset'))
    assert.deepEqual(filesOf(NAME), files)
  })

  inCluster('reset of the first machine leaves nothing of any of them', async () => {
    await done(bundle('reset'))
    assert.deepEqual(await changesSince(before), [])
  })
}
