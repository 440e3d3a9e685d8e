import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cacheKey } from '../../lib/action/cache.ts'
import { failureFrom, failureOf } from '../../lib/action/failure-report.ts'
import { mayMakeCgroups, missingFrom } from '../../lib/action/job-facts.ts'
import { failureSummary, readySummary, timeline, timeToReady } from '../../lib/action/job-summary.ts'
import { openProgress } from '../../lib/action/log-progress.ts'
import { type JobFacts, REFUSALS, refusals } from '../../lib/action/refusals.ts'
import { asRoot } from '../../lib/action/run-as-root.ts'

const FIT: JobFacts = {
  inWorkflow: true,
  platform: 'linux',
  arch: 'x64',
  nodeMajor: 24,
  isRoot: false,
  inContainer: false,
  containerJob: false,
  missingCapabilities: [],
  cgroupsWritable: true,
}

describe('refusals()', () => {
  const rows: readonly (readonly [name: string, facts: Partial<JobFacts>, message: RegExp])[] = [
    ['workflow', { inWorkflow: false }, /no runner has started it; run the init script/],
    ['platform', { platform: 'darwin' }, /this runner is darwin; use runs-on: ubuntu/],
    ['platform', { platform: 'win32' }, /this runner is win32/],
    ['architecture', { arch: 'arm' }, /no Kubernetes for "arm"; /],
    ['node', { nodeMajor: 18 }, /it runs on Node 18; update the runner/],
    [
      'container-job',
      { containerJob: true, inContainer: true, missingCapabilities: ['CAP_SYS_ADMIN'] },
      /in a container without CAP_SYS_ADMIN; take container: out of the job/,
    ],
    [
      'container',
      { inContainer: true, missingCapabilities: ['CAP_SYS_ADMIN'] },
      /; use a runner that is a virtual machine/,
    ],
    ['container', { inContainer: true, cgroupsWritable: false }, /may not make control groups; /],
    [
      'sudo',
      { sudoFault: 'it needs root, and sudo says "sudo: a password is required"' },
      /password is required"; let the user/,
    ],
  ]
  for (const [name, facts, message] of rows) {
    test(`${name}: ${JSON.stringify(facts)}`, () => {
      const found = refusals({ ...FIT, ...facts })
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', /^action: cannot bring up a cluster here: /)
      assert.match(found[0] ?? '', message)
    })
  }

  test('every refusal has a row here', () => {
    assert.deepEqual(
      [...new Set(rows.map(([name]) => name))],
      REFUSALS.map(({ name }) => name),
    )
  })

  test('nothing is refused on a hosted runner, arm64, as root, in a privileged container', () => {
    for (const facts of [
      {},
      { arch: 'arm64' },
      { isRoot: true, sudoFault: 'none' },
      { inContainer: true, containerJob: true },
    ]) {
      assert.deepEqual(refusals({ ...FIT, ...facts }), [])
    }
  })

  test('all of them at once', () => {
    assert.equal(refusals({ ...FIT, platform: 'win32', nodeMajor: 16 }).length, 2)
  })
})

test('missingFrom() reads the bounding set: what root could have', () => {
  const status = (bits: string): string => `Name:\tnode\nCapEff:\t0000000000000000\nCapBnd:\t${bits}\n`
  assert.deepEqual(missingFrom(status('000001ffffffffff')), [])
  // What Docker leaves to a container.
  assert.deepEqual(missingFrom(status('00000000a80425fb')), ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'])
})

test('mayMakeCgroups() looks for a hierarchy that is mounted for writing', () => {
  const line = (options: string, type: string): string =>
    `35 24 0:30 / /sys/fs/cgroup ${options} shared:4 - ${type} cgroup rw,nsdelegate`
  assert.equal(mayMakeCgroups(line('rw,nosuid', 'cgroup2')), true)
  assert.equal(mayMakeCgroups(line('ro,nosuid', 'cgroup2')), false)
  assert.equal(mayMakeCgroups(`${line('ro', 'tmpfs')}\n${line('rw,relatime', 'cgroup')}`), true)
  assert.equal(mayMakeCgroups(line('rw', 'tmpfs')), false)
})

describe('asRoot()', () => {
  test('is the command itself for root, sudo without a question for others', () => {
    assert.deepEqual(asRoot(['a', 'b'], true), ['a', 'b'])
    const command = asRoot(['a', 'b'], false)
    assert.deepEqual([command[0], command[1], ...command.slice(-3)], ['sudo', '-n', '--', 'a', 'b'])
  })

  test('names variables of a proxy and leaves their values out', () => {
    process.env.HTTPS_PROXY = 'http://user:secret@proxy.example'
    try {
      const command = asRoot(['a'], false).join(' ')
      assert.match(command, /--preserve-env=\S*HTTPS_PROXY/)
      assert.doesNotMatch(command, /secret/)
    } finally {
      delete process.env.HTTPS_PROXY
    }
  })
})

describe('failureOf()', () => {
  const event = {
    event: 'error',
    text: 'init: cannot reach "api" in time\ninit: the first broken link is the kube-apiserver: it ended: unknown flag: --x\n  Error: unknown flag: --x',
    broken: {
      link: 'kube-apiserver',
      cause: 'it ended with status 1, 2 times so far',
      lines: ['E1123 18:27:01.485483       1 run.go:72] Error: unknown flag: --x', 'token=abcdefghijklmnop'],
    },
    logs: '/var/log/kubestep-logs-1.tar.gz',
  }

  test('the title is the cause, not the symptom', () => {
    const { title, link, lines, logs } = failureOf(event, 1, '')
    assert.equal(title, 'kube-apiserver: unknown flag: --x (it ended with status 1, 2 times so far)')
    assert.equal(link, 'kube-apiserver')
    assert.equal(logs, '/var/log/kubestep-logs-1.tar.gz')
    assert.match(lines.join(' '), /Error: unknown flag: --x token=<masked>$/)
  })

  test('without a diagnosis it is the first fault, and how many more there are', () => {
    const text =
      'init: cannot give port 6443 to the API server: something listens on it; stop that\ninit: cannot use "/var/lib/etcd" for etcd: it holds member of another cluster; move it away'
    assert.equal(
      failureOf({ event: 'error', text }, 1, '').title,
      'cannot give port 6443 to the API server: something listens on it; stop that (and 1 more)',
    )
  })

  test('of a list it is the first fault, and where logs are is none', () => {
    const text = [
      'components: cannot use artifacts "/a":',
      '  /a/cni/bin has no "bridge": put the CNI plugins for linux/amd64 there',
      '  images has no archive with registry.k8s.io/pause:3.10.2: put it there',
      'npx zx scripts/bundle.mts makes such a folder',
    ].join('\n')
    const logs =
      'init: everything that was logged is in "/var/log/x.tar.gz"; to take the rest away: node dist/reset.mjs'
    assert.equal(
      failureOf({ event: 'error', text: `${text}\n${logs}`, reason: text }, 1, '').title,
      'components: cannot use artifacts "/a": /a/cni/bin has no "bridge": put the CNI plugins for linux/amd64 there (and 1 more)',
    )
  })

  test('how preflight ends its list is no fault of its own', () => {
    const text =
      'preflight: Port-2379: node on 127.0.0.1 has the port of etcd; stop that\npreflight: cannot set up a cluster on this machine: fix that'
    assert.equal(
      failureOf({ event: 'error', text }, 1, '').title,
      'Port-2379: node on 127.0.0.1 has the port of etcd; stop that',
    )
  })

  test('without an event there is standard error, or the status', () => {
    assert.equal(
      failureOf(undefined, 2, 'init: cannot take option "--x": it is unknown here\n').title,
      'cannot take option "--x": it is unknown here',
    )
    assert.match(failureOf(undefined, 137, '').title, /ended with status 137 and said nothing/)
  })

  test('a title is one line that fits', () => {
    assert.ok(failureFrom([`action: ${'x'.repeat(500)}`]).title.length <= 160)
  })
})

describe('openProgress()', () => {
  const shown = (
    ...events: readonly (Readonly<Record<string, string>> | string)[]
  ): { said: string[]; error: unknown } => {
    const said: string[] = []
    const progress = openProgress({
      info: line => said.push(line),
      debug: line => said.push(`debug ${line}`),
      startGroup: title => said.push(`> ${title}`),
      endGroup: () => said.push('<'),
    })
    for (const event of events) progress.line(typeof event === 'string' ? event : JSON.stringify(event))
    progress.end()
    return { said, error: progress.facts('error') }
  }

  test('groups by phase; init’s and ready’s own lines stay in sight', () => {
    const { said, error } = shown(
      { event: 'progress', text: '[init] Using' },
      { event: 'progress', text: '[certs] a' },
      { event: 'warning', text: 'config: old' },
      { event: 'progress', text: '[etcd] b' },
      { event: 'detail', text: 'more' },
      'not an event',
      { event: 'progress', text: '[wait] 12 s: API server' },
      { event: 'progress', text: '[ready] api' },
      { event: 'error', text: 'init: no' },
    )
    assert.deepEqual(said, [
      '[init] Using',
      '> certs: certificates and keys',
      '[certs] a',
      'Warning: config: old',
      '<',
      '> etcd: static Pod of a local etcd',
      '[etcd] b',
      'debug more',
      'not an event',
      '<',
      '[wait] 12 s: API server',
      '[ready] api',
    ])
    assert.deepEqual(error, { event: 'error', text: 'init: no' })
  })

  test('hides secrets, and what init says to the root of a machine', () => {
    const { said } = shown(
      { event: 'progress', text: '[bootstrap-token] abcdef.0123456789abcdef' },
      { event: 'progress', text: '[init] Kubernetes v1.36.2 is ready after 9.1 s' },
      { event: 'progress', text: '  export KUBECONFIG=/etc/kubernetes/admin.conf' },
    )
    assert.equal(said.join('\n').includes('0123456789abcdef'), false)
    assert.equal(said.at(-1), '[init] Kubernetes v1.36.2 is ready after 9.1 s')
  })
})

describe('summaries', () => {
  const ready = {
    kubernetesVersion: 'v1.36.2',
    nodeName: 'vm',
    server: 'https://192.0.2.1:6443',
    runtime: { name: 'containerd', version: 'v2.3.5' },
    images: ['registry.k8s.io/etcd:3.6.8-0', 'registry.k8s.io/coredns/coredns:v1.14.2'],
    gates: [{ name: 'api' }, { name: 'dns' }],
    timings: { runtime: 500, api: 4000, dns: 8000 },
  }

  test('readySummary() names versions and shows where the time went', () => {
    const text = readySummary(ready, [
      ['Runner image', 'ubuntu24'],
      ['Nothing', ''],
    ])
    assert.match(text, /^### Kubernetes v1\.36\.2 is ready after 8\.0 s$/m)
    for (const row of [
      '| etcd | 3.6.8-0 |',
      '| CoreDNS | v1.14.2 |',
      '| Runtime | containerd v2.3.5 |',
      '| Runner image | ubuntu24 |',
    ]) {
      assert.ok(text.includes(row), row)
    }
    assert.equal(text.includes('Nothing'), false)
  })

  test('timeline() puts each bar behind the one before', () => {
    const bars = [...timeline(ready.timings).matchAll(/`([·█]+)`/g)].map(([, bar = '']) => bar)
    assert.deepEqual(
      bars.map(bar => [bar.length, bar.indexOf('█'), bar.lastIndexOf('█')]),
      [
        [30, 0, 1],
        [30, 2, 14],
        [30, 15, 29],
      ],
    )
    assert.match(timeline({}), /reached/)
  })

  test('timeToReady() is the last gate, or the objects without gates', () => {
    assert.equal(timeToReady(ready), 8000)
    assert.equal(timeToReady({ gates: [], timings: { 'objects applied': 5000 } }), 5000)
  })

  test('failureSummary() has the cause, the last lines in a fence that holds, and the logs', () => {
    const failure = { title: 'etcd: <no>', text: 'all', link: 'etcd', lines: ['```', 'last'] }
    const text = failureSummary(failure, { runtime: 5 }, '/tmp/logs')
    assert.match(text, /^### No cluster: etcd: &lt;no>$/m)
    assert.match(text, /^````text\n```\nlast\n````$/m)
    assert.ok(text.includes('`/tmp/logs`'))
  })
})

test('cacheKey() names what is in it', () => {
  const images = ['r/kube-apiserver:v1.36.2', 'r/etcd:3.6.8-0']
  const key = cacheKey(images, 'amd64')
  assert.match(key, /^kubestep-2-linux-amd64-v1\.36\.2-[0-9a-f]{16}$/)
  assert.equal(cacheKey([...images].reverse(), 'amd64'), key)
  assert.notEqual(cacheKey(['q/kube-apiserver:v1.36.2', 'r/etcd:3.6.8-0'], 'amd64'), key)
})
