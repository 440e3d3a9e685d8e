/** The action's bundles with real Kubernetes, as an unprivileged user with sudo: green, red, killed, and always gone afterwards. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Job, Step } from '../action/runner.ts'
import { onMachine } from './attempt.ts'
import { someOf } from './extent.ts'
import { jobOf, kubectlOf, laterStep, nextStep, noJobs } from './jobs.ts'
import { changesSince, readMachineState } from './machine-state.ts'
import { MOMENTS } from './moments.ts'
import { nextPatch } from './next-patch.ts'
import { bundle, run } from './programs.ts'
import { makeRunnerUser, type RunnerUser } from './runner-user.ts'
import type { Target } from './targets.ts'
import { temporaryFolder } from './temporary.ts'
import { runPod } from './workload.ts'

type Inputs = Readonly<Record<string, string>>
type Work = (job: Job, target: Target, user: RunnerUser) => Promise<void>

let user: RunnerUser | undefined
const reason = noJobs()

/** A job of its own on a machine that has to be the same afterwards. `inputs` come on top of what the target needs. */
function inJob(name: string, inputs: (target: Target) => Inputs, work: Work): void {
  if (reason !== undefined) return void test(name, { skip: reason }, () => {})
  onMachine(name, async target => {
    user ??= makeRunnerUser()
    const job = jobOf(target, user, inputs(target))
    // An empty folder that another run has left would be missed afterwards.
    await run(bundle('reset'))
    const before = readMachineState()
    try {
      await work(job, target, user)
    } finally {
      const post = await job.post('success')
      assert.equal(post.status, 0, post.raw)
      assert.deepEqual(post.annotations, [], post.raw)
    }
    assert.deepEqual(await changesSince(before), [])
    job.end()
  })
}

const nothing = (): Inputs => ({})

inJob(
  'a workflow gets a cluster that it can use, and that a later step upgrades',
  nothing,
  async (job, target, runner) => {
    const { version, kubectl: hasKubectl } = target
    const main = await job.main()
    assert.equal(main.status, 0, main.raw)
    const { outputs, path } = main
    const { uid } = runner
    const settings = nextStep(job, main, runner)
    const kubectl = kubectlOf(settings)
    assert.equal(outputs['kubernetes-version'], version)
    assert.deepEqual(
      [statSync(outputs.kubeconfig ?? '').uid, statSync(outputs.kubeconfig ?? '').mode & 0o777],
      [uid, 0o600],
    )
    assert.ok(existsSync(hasKubectl))
    assert.equal(JSON.parse(await kubectl('version', '-o', 'json')).serverVersion.gitVersion.startsWith('v1.'), true)
    assert.equal(outputs.kubectl, join(path[0] ?? '', 'kubectl'))
    assert.equal((await kubectl('config', 'current-context')).trim(), outputs.context)
    const [node] = JSON.parse(await kubectl('get', 'nodes', '-o', 'json')).items
    assert.equal(node.metadata.name, outputs['node-name'])
    const shown = await kubectl('config', 'view', '--raw', '-o', 'jsonpath={.clusters[0].cluster}')
    assert.equal(JSON.parse(shown).server, outputs.server)
    assert.equal(
      Buffer.from(JSON.parse(shown)['certificate-authority-data'], 'base64').toString(),
      readFileSync(outputs['ca-cert'] ?? '', 'utf8'),
    )
    await runPod(kubectl)
    const logs = await run([join(path[0] ?? '', 'kubestep-logs')], settings)
    assert.equal(logs.status, 0, logs.stderr)
    const [archive = ''] = readdirSync(outputs.logs ?? '')
    assert.equal(statSync(join(outputs.logs ?? '', archive)).uid, uid)
    // Nothing secret in the log or on the page of the run.
    const key = JSON.parse(await kubectl('config', 'view', '--raw', '-o', 'json')).users[0].user['client-key-data']
    assert.ok(main.masks.includes(key))
    assert.equal([...main.lines, main.summary].join('\n').includes(key), false)

    const next = await nextPatch(target)
    // Made for root alone.
    chmodSync(dirname(next.artifacts), 0o755)
    const later = laterStep(job, main, runner, {
      ...{ 'upgrade-to': next.version, artifacts: next.artifacts, timeout: '100s' },
    })
    const upgraded = await later.main()
    assert.equal(upgraded.status, 0, upgraded.raw)
    assert.equal(upgraded.outputs['kubernetes-version'], next.version)
    assert.equal(JSON.parse(upgraded.outputs.result ?? '{}').ready, true)
    assert.match(upgraded.summary, new RegExp(next.version.replaceAll('.', '\\.')))
    const versions = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}')
    assert.equal(versions, next.version)
    // The cluster's end is the first step's business.
    assert.match((await later.post('success')).raw, /Nothing to do/)
    later.end()
  },
)

inJob(
  'a second action on the machine is refused, and replaces the cluster when it is told to',
  nothing,
  async (job, target, runner) => {
    assert.equal((await job.main()).status, 0)
    const refused = jobOf(target, runner)
    const refusal = await refused.main()
    assert.equal(refusal.status, 1, refusal.raw)
    assert.match(refusal.annotations[0]?.title ?? '', /there is one of kubestep on this machine/)
    assert.match((await refused.post('failure')).raw, /Nothing to do/)
    assert.ok(existsSync('/etc/kubernetes/admin.conf'))
    refused.end()
    const replacing = jobOf(target, runner, { 'if-exists': 'replace' })
    const replacement = await replacing.main()
    assert.equal(replacement.status, 0, replacement.raw)
    // The first job's cluster is gone, and this one is not its to take away.
    assert.equal((await job.post('success')).status, 0)
    assert.ok(existsSync('/etc/kubernetes/admin.conf'))
    assert.equal((await replacing.post('success')).status, 0)
    replacing.end()
  },
)

/** Inputs, and how many nodes they are to make; the last one is a worker that the file says something of. */
const SEVERAL: readonly (readonly [what: string, inputs: Inputs, count: number, label?: string])[] = [
  ['nodes: 3', { nodes: '3' }, 3],
  [
    "kind's file",
    {
      'kind-config': `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
- role: worker
  labels: { tier: back }
  extraPortMappings: [{ containerPort: 30080, hostPort: 18080 }]
`,
    },
    2,
    'tier=back',
  ],
]

for (const [what, inputs, count, label] of someOf(SEVERAL, 1)) {
  inJob(
    `a workflow gets a cluster of several nodes by ${what}`,
    () => inputs,
    async (job, _target, runner) => {
      const main = await job.main()
      assert.equal(main.status, 0, main.raw)
      const kubectl = kubectlOf(nextStep(job, main, runner))
      const nodes = async (...args: readonly string[]): Promise<string[]> =>
        (await kubectl('get', 'nodes', '--no-headers', ...args)).trim().split('\n')
      const all = await nodes()
      assert.equal(all.length, count)
      for (const line of all) assert.match(line, / Ready /)
      if (label !== undefined) assert.match((await nodes('--selector', label)).join('\n'), /-worker /)
      await runPod(kubectl)
    },
  )
}

/** Red within its time, with one annotation, whose title names the cause; the summary has it too. */
function isRed({ status, annotations, summary, milliseconds, outputs, raw }: Step, cause: RegExp): void {
  assert.equal(status, 1, raw)
  assert.deepEqual(
    annotations.map(({ kind }) => kind),
    ['error'],
    raw,
  )
  assert.match(annotations[0]?.title ?? '', cause)
  assert.match(summary, cause)
  assert.ok(milliseconds < 110_000, `it took ${milliseconds} ms`)
  assert.equal(JSON.parse(outputs.result ?? '{}').ready, false)
}

inJob(
  'a flag that the API server does not know is named',
  () => ({ 'extra-args': '{ apiserver: { no-such-flag: 1 } }' }),
  async job => isRed(await job.main(), /kube-apiserver: .*unknown flag: --no-such-flag/),
)

inJob(
  'an image that is missing is named',
  ({ artifacts }) => ({ artifacts: withoutImage(artifacts, 'etcd') }),
  async job => isRed(await job.main(), /etcd/),
)

function withoutImage(artifacts: string, name: string): string {
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'images'))
  for (const entry of readdirSync(artifacts).filter(other => other !== 'images'))
    symlinkSync(join(artifacts, entry), join(folder, entry))
  for (const entry of readdirSync(join(artifacts, 'images')).filter(other => !other.includes(name))) {
    symlinkSync(join(artifacts, 'images', entry), join(folder, 'images', entry))
  }
  return folder
}

inJob('a port that is taken is named', nothing, async job => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(2379, '127.0.0.1', resolve))
  try {
    isRed(await job.main(), /Port-2379|port 2379/)
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
})

for (const { about, reached } of someOf(MOMENTS, 2)) {
  inJob(`post takes everything away after main was killed when ${about}`, nothing, async job => {
    const { signal } = await job.main({ endWhen: { how: 'kill', reached } })
    assert.equal(signal, 'SIGKILL', 'it was too quick for this test')
  })
}

for (const about of someOf(['the kubelet starts', 'its record is begun'], 1)) {
  inJob(`post takes everything away after main was cancelled when ${about}`, nothing, async job => {
    const reached = MOMENTS.find(moment => moment.about === about)?.reached ?? ((): boolean => false)
    const { status, milliseconds } = await job.main({ endWhen: { how: 'cancel', reached } })
    assert.equal(status, 1)
    assert.ok(milliseconds < 100_000)
  })
}
