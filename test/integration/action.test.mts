/** The action's bundles under a runner of our own: everything but the cluster. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { INPUT_ROWS } from '../../lib/action/inputs.ts'
import { OUTPUTS } from '../../lib/action/outputs.ts'
import { LAYOUT } from '../../lib/base/paths.ts'
import { which } from '../../lib/machine/command.ts'
import { commandLine, processesWith } from '../../lib/machine/host/processes.ts'
import { startCacheService } from '../action/cache-service.ts'
import { ACTION_FOLDER, actionNode, type Job, type JobOptions, openJob, type Step } from '../action/runner.ts'
import { type Checkout, CLIENT_KEY, READY_INIT, stubbedCheckout } from '../action/stubs.ts'

const noNode = actionNode() === undefined && 'Node 24, as action.yml declares, is not here; test/run.sh installs it'
const noRoot = noNode || (process.getuid?.() !== 0 && 'needs root, or the action would ask for sudo')
// A cluster that happens to be on this machine is hidden from the action, where that can be done. Not with a shell:
// those drop variables with a hyphen in their names, as those of inputs have.
const hiding = ['unshare', '--mount', 'perl', '-e', 'system(qw(mount -t tmpfs tmpfs /var/lib)) == 0 && exec @ARGV']
const mayHide = noRoot === false && spawnSync(hiding[0] ?? '', [...hiding.slice(1), 'true']).status === 0
const busy = noRoot || (!mayHide && existsSync(LAYOUT.ready) && 'there is a cluster of kubestep on this machine')

/** Runs a test with a checkout of stubs and a job in it. */
async function withJob(
  bodies: Readonly<Record<string, string>>,
  options: JobOptions,
  work: (job: Job, checkout: Checkout) => Promise<void>,
): Promise<void> {
  const checkout = stubbedCheckout(bodies)
  const job = openJob({ actionFolder: checkout.folder, ...(mayHide && { wrapper: hiding }), ...options })
  try {
    await work(job, checkout)
  } finally {
    job.end()
    checkout.remove()
  }
}

describe('what is wrong is said at once, and nothing is begun', { skip: noRoot }, () => {
  test('bad inputs, all of them, in one annotation', async () => {
    const inputs = {
      timeout: 'soon',
      cache: 'maybe',
      config: 'no.yaml',
      node_image: 'kindest/node:v1.36.2',
      'kubernetes-vesion': '1',
    }
    await withJob({}, { inputs }, async (job, { calls }) => {
      const { status, annotations, outputs, state, summary } = await job.main()
      assert.equal(status, 1)
      assert.equal(annotations.length, 1)
      const [{ kind, title, message } = { kind: '', title: '', message: '' }] = annotations
      assert.equal(kind, 'error')
      assert.match(title, /^cannot use input "config" "no\.yaml": there is no such file .*\(and 4 more\)$/)
      for (const hint of [
        /input "timeout" "soon"/,
        /input "cache" "maybe"/,
        /"node_image".*use kubernetes-version/,
        /"kubernetes-vesion".*did you mean kubernetes-version\?/,
      ]) {
        assert.match(message, hint)
      }
      assert.match(summary, /^### No cluster: cannot use input/)
      assert.deepEqual([outputs, state, calls()], [{}, {}, []])
      const post = await job.post('failure')
      assert.equal(post.status, 0)
      assert.match(post.raw, /Nothing to do/)
      assert.deepEqual(calls(), [])
    })
  })

  test('unknown inputs are no fault where those of outer actions come through', async () => {
    const environment = { GITEA_ACTIONS: 'true' }
    await withJob({ init: READY_INIT }, { inputs: { outer: 'x' }, environment }, async job => {
      const { status, raw } = await job.main()
      assert.equal(status, 0, raw)
      assert.match(raw, /Warning: action: cannot use input "outer": it is unknown/)
    })
  })

  test('a kubeconfig that is there is not overwritten', async () => {
    const prepare = (workspace: string): void => writeFileSync(join(workspace, 'mine'), 'mine')
    await withJob({ init: READY_INIT }, { inputs: { kubeconfig: 'mine' }, prepare }, async (job, { calls }) => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.match(annotations[0]?.title ?? '', /the file exists; name another one/)
      assert.deepEqual(calls(), [])
    })
  })
})

const noSetpriv = noRoot || (which('setpriv') === undefined && 'setpriv is not installed')

describe('where it cannot work, it says so in the first second', { skip: noSetpriv }, () => {
  const rows: readonly (readonly [what: string, options: JobOptions, message: RegExp])[] = [
    [
      'a user without rights',
      { user: { uid: 65_534, gid: 65_534, home: '/nonexistent' }, wrapper: [] },
      /it needs root, (this user is not, and there is no sudo|and sudo says ".+"); let the user of the runner use sudo/,
    ],
    [
      'a container job',
      { wrapper: ['setpriv', '--bounding-set', '-sys_admin'], environment: { GITHUB_WORKSPACE: '/__w/a/a' } },
      /in a container without CAP_SYS_ADMIN; take container: out of the job/,
    ],
    [
      'ubuntu-slim and the like',
      { wrapper: ['setpriv', '--bounding-set', '-sys_admin,-net_admin'] },
      /in a container without CAP_NET_ADMIN and CAP_SYS_ADMIN; use a runner that is a virtual machine/,
    ],
    [
      'no runner at all',
      { environment: { GITHUB_ACTIONS: '' } },
      /no runner has started it; run the init script itself/,
    ],
  ]
  for (const [what, options, message] of rows) {
    test(what, async () => {
      await withJob({ init: READY_INIT }, options, async (job, { calls }) => {
        const { status, annotations, state } = await job.main()
        assert.equal(status, 1)
        assert.equal(annotations.length, 1)
        assert.match(annotations[0]?.title ?? '', message)
        assert.deepEqual([state, calls()], [{}, []])
        assert.equal((await job.post('failure')).status, 0)
      })
    })
  }
})

describe('a cluster that comes up', { skip: busy }, () => {
  test('outputs, environment, files, masks and the summary', async () => {
    await withJob({ init: READY_INIT }, {}, async (job, { calls }) => {
      const { status, outputs, environment, path, state, summary, masks, lines, annotations, groups, raw } =
        await job.main()
      assert.equal(status, 0, raw)
      assert.deepEqual(Object.keys(outputs).sort(), Object.keys(OUTPUTS).sort())
      assert.equal(outputs.server, 'https://192.0.2.1:6443')
      assert.equal(outputs.context, 'kubernetes-admin@kubernetes')
      assert.equal(outputs.runtime, 'containerd v2.3.5')
      assert.equal(outputs['time-to-ready'], '9000')
      assert.equal(outputs['cache-hit'], 'false')
      assert.equal(JSON.parse(outputs.timings ?? '').dns, 9000)
      assert.equal(JSON.parse(outputs.result ?? '').kubeconfig, outputs.kubeconfig)
      assert.equal(readFileSync(outputs['ca-cert'] ?? '', 'utf8'), 'the CA\n')
      assert.deepEqual(environment, { KUBECONFIG: outputs.kubeconfig })
      assert.equal(statSync(outputs.kubeconfig ?? '').mode & 0o777, 0o600)
      assert.deepEqual(path, [join(job.temp, 'kubestep/bin')])
      assert.ok(existsSync(join(path[0] ?? '', 'kubestep-logs')))
      const { owner, kubeconfig, ...others } = state
      assert.deepEqual(others, { started: 'true' })
      assert.match(owner ?? '', /^[0-9a-f-]{36}$/)
      assert.equal(JSON.parse(kubeconfig ?? '').path, outputs.kubeconfig)
      assert.ok(masks.includes(CLIENT_KEY))
      assert.ok(masks.some(mask => mask.includes('secretsecret')))
      assert.equal(lines.join('\n').includes(CLIENT_KEY), false)
      assert.match(summary, /### Kubernetes v1\.36\.2 is ready after 9\.0 s/)
      assert.equal(summary.includes(CLIENT_KEY), false)
      assert.deepEqual(annotations, [])
      assert.deepEqual(groups, ['certs: certificates and keys'])
      const [name, ...flags] = calls()[0] ?? []
      assert.equal(name, 'init')
      // What the runner fills in by itself, and no more.
      const declared = INPUT_ROWS.filter(
        ([, { default: value, flag, implied, kind }]) =>
          value && flag && !implied && (kind !== 'switch' || value === 'true'),
      )
      assert.deepEqual(flags, [
        ...declared.map(([, { default: value, flag }]) => `--${flag}=${value}`),
        '-o',
        'json',
        '--skip-token-print',
        `--owner=${owner}`,
        // Of the timeout some is kept for finding out what is wrong.
        flags.find(word => /^--timeout=[12]\d{5}ms$/.test(word)),
      ])
    })
  })

  test('without any of the runner’s files it works all the same, through commands', async () => {
    const without = ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY']
    await withJob({ init: READY_INIT }, { without }, async (job, { calls }) => {
      const { status, outputs, environment } = await job.main()
      assert.equal(status, 0)
      assert.equal(environment.KUBECONFIG, outputs.kubeconfig)
      assert.equal((await job.post('success')).status, 0)
      assert.deepEqual(
        calls().map(([name]) => name),
        ['init', 'reset'],
      )
    })
  })

  test('files of the runner that are not there are no reason to fail', async () => {
    const environment = {
      GITHUB_OUTPUT: '/nonexistent/a',
      GITHUB_STATE: '/nonexistent/b',
      GITHUB_STEP_SUMMARY: '/nonexistent/c',
    }
    await withJob({ init: READY_INIT }, { environment }, async job => {
      assert.equal((await job.main()).status, 0)
    })
  })

  test('nothing of the job’s environment reaches root but what it needs', async () => {
    const environment = {
      ACTIONS_RUNTIME_TOKEN: 'token',
      RUNNER_TRACKING_ID: 'github_1',
      HTTPS_PROXY: 'http://proxy.example',
    }
    const init = `note('environment', ...Object.keys(process.env).sort())\n${READY_INIT}`
    await withJob({ init }, { environment }, async (job, { calls }) => {
      assert.equal((await job.main()).status, 0)
      const names = calls()[1]?.slice(1) ?? []
      assert.ok(names.includes('HTTPS_PROXY') && names.includes('PATH'))
      assert.deepEqual(
        names.filter(name => /^(ACTIONS_|INPUT_|STATE_|RUNNER_|GITHUB_(?!ACTIONS$))/.test(name)),
        [],
      )
    })
  })

  test('says more when the runner is asked to', async () => {
    await withJob({ init: READY_INIT }, { environment: { RUNNER_DEBUG: '1' } }, async (job, { calls }) => {
      assert.ok((await job.main()).lines.includes('##[debug]a detail'))
      assert.ok(calls()[0]?.includes('--verbose'))
    })
  })

  test('a configuration given as YAML is a file for the owner alone', async () => {
    const inputs = {
      config: 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n',
      'cluster-name': 'mine',
    }
    await withJob({ init: READY_INIT }, { inputs }, async (job, { calls }) => {
      assert.equal((await job.main()).status, 0)
      const file = join(job.temp, 'kubestep/kubeadm.yaml')
      assert.ok(calls()[0]?.includes(`--config=${file}`))
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.match(readFileSync(file, 'utf8'), /^clusterName: mine$/m)
    })
  })

  test('images are loaded; one that cannot be makes the step red with its cause', async () => {
    const load = `console.error('load: cannot load "b": Docker has no such image, and there is no such file; build or pull it first'); process.exit(1)`
    await withJob({ init: READY_INIT, load }, { inputs: { 'load-images': 'a:1\nb' } }, async (job, { calls }) => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.deepEqual(calls()[1], ['load', 'a:1', 'b'])
      assert.match(annotations[0]?.title ?? '', /^cannot load "b": Docker has no such image/)
    })
  })
})

const FAILING_INIT = `writeFileSync(fileURLToPath(new URL('../logs.tar.gz', import.meta.url)), 'logs')
say({ event: 'progress', text: '[etcd] starting' })
say({
  event: 'error',
  text: 'init: cannot reach "api" in time\\ninit: the first broken link is the kube-apiserver: it ended: unknown flag: --x',
  reason: 'init: cannot reach "api" in time',
  broken: { link: 'kube-apiserver', cause: 'it ended: unknown flag: --x', lines: ['Error: unknown flag: --x'] },
  logs: fileURLToPath(new URL('../logs.tar.gz', import.meta.url)),
  timings: { runtime: 500 },
})
console.error('init: cannot reach')
process.exit(1)`

describe('a cluster that does not come up', { skip: busy }, () => {
  test('the annotation’s title is the cause; logs are the user’s; post resets', async () => {
    await withJob({ init: FAILING_INIT }, {}, async (job, { calls }) => {
      const { status, annotations, outputs, summary, state } = await job.main()
      assert.equal(status, 1)
      assert.deepEqual(
        annotations.map(({ kind, title }) => [kind, title]),
        [['error', 'kube-apiserver: it ended: unknown flag: --x']],
      )
      assert.match(summary, /The first broken link is the \*\*kube-apiserver\*\*[\s\S]*Error: unknown flag: --x/)
      const result = JSON.parse(outputs.result ?? '')
      assert.deepEqual(
        [result.ready, result.broken.link, result.cause],
        [false, 'kube-apiserver', annotations[0]?.title],
      )
      assert.deepEqual(readdirSync(outputs.logs ?? ''), ['logs.tar.gz'])
      assert.equal(state.failed, 'true')
      assert.equal((await job.post('failure')).status, 0)
      // The logs are there already.
      assert.deepEqual(
        calls().map(([name]) => name),
        ['init', 'reset'],
      )
    })
  })

  test('a cluster of another job that came in between is left alone', async () => {
    const said = [
      'init: cannot set up a cluster: there is one on this machine; use it, or run the reset script first',
      'init: cannot start: process 7 (init) is at work on this machine; wait for it to end',
    ]
    for (const text of said) {
      await withJob(
        { init: `say({ event: 'error', text: '${text}' }); process.exit(1)` },
        {},
        async (job, { calls }) => {
          assert.equal((await job.main()).status, 1)
          assert.match((await job.post('failure')).raw, /Nothing to do/)
          assert.deepEqual(
            calls().map(([name]) => name),
            ['init'],
          )
        },
      )
    }
  })

  test('an init that dies without a word', async () => {
    await withJob({ init: 'process.kill(process.pid, "SIGKILL")' }, {}, async job => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.equal(annotations.length, 1)
      assert.match(annotations[0]?.title ?? '', /init ended with status/)
    })
  })
})

/** What a line could make a runner do, if it took it for a command. */
const HOSTILE: readonly string[] = [
  '::set-output name=kubeconfig::/tmp/evil',
  '  ::add-mask::a',
  '::add-path::/tmp/evil',
  '::set-env name=LD_PRELOAD::/tmp/evil',
  '::save-state name=owner::evil',
  '::error title=evil::evil',
  '::group::evil',
  '::stop-commands::evil',
  'all is well ##[add-path]/tmp/evil',
  '##[set-env name=PATH;]/tmp/evil',
  'all is well\r::set-env name=PATH::/tmp/evil',
  'all is well\n::set-env name=PATH::/tmp/evil',
]

describe('what others say', { skip: busy }, () => {
  const say = HOSTILE.map(text => JSON.stringify(text)).join(', ')
  const hostile = `for (const text of [${say}]) {
  say({ event: 'progress', text: '[certs] ' + text })
  say({ event: 'warning', text })
  say({ event: 'detail', text })
  console.log(text)
  console.error(text)
}`
  const calm = ({ environment, path, state, annotations, groups, outputs, masks }: Step): void => {
    for (const value of [environment, path, state, annotations, groups, outputs]) {
      assert.doesNotMatch(JSON.stringify(value), /evil(?!.*Warning)/)
    }
    assert.equal(masks.includes('a'), false)
  }

  test('is no command of the runner', async () => {
    const environment = { RUNNER_DEBUG: '1' }
    const bodies = { init: `${hostile}\n${READY_INIT}`, load: hostile, reset: hostile }
    await withJob(bodies, { environment, inputs: { 'load-images': 'a' } }, async job => {
      const main = await job.main()
      assert.equal(main.status, 0, main.raw)
      assert.ok(main.lines.some(line => line.includes('##[add-path]/tmp/evil')))
      calm(main)
      calm(await job.post('success'))
    })
  })

  test('is masked, in the log, the annotation, the summary and the outputs', async () => {
    const secret = 'hunter2hunter2'
    const init = `const words = 'https://u:${secret}@mirror.example and password: "${secret} x" and ${secret}'
say({ event: 'progress', text: '[init] ' + words })
console.error(words)
say({ event: 'error', text: 'init: cannot fetch ' + words, reason: words, broken: { link: 'etcd', cause: words, lines: [words] } })
process.exit(1)`
    const inputs = { mirrors: `https://u:${secret}@mirror.example` }
    await withJob(
      { init, reset: `console.error('${secret}'); process.exit(1)` },
      { inputs, environment: { RUNNER_DEBUG: '1' } },
      async job => {
        const main = await job.main()
        const post = await job.post('failure')
        for (const { lines, annotations, summary, outputs } of [main, post]) {
          assert.equal(JSON.stringify({ lines, annotations, summary, outputs }).includes(secret), false)
        }
        // Not only by the runner, which knows it from here on.
        assert.ok(main.masks.includes(secret))
        const shown = main.raw.split('\n').filter(line => !line.startsWith('::add-mask::'))
        assert.equal(shown.join('\n').includes(secret), false)
        assert.match(JSON.parse(main.outputs.result ?? '').reason, /<masked>/)
      },
    )
  })

  test('passwords of mirrors stand on no command line', async () => {
    const init = `note('content', readFileSync(args.find(word => word.startsWith('--mirror=@')).slice(10), 'utf8'))\n${READY_INIT}`
    const mirrors = 'https://u:hunter2@a.example,docker.io=https://b.example'
    await withJob(
      { init: `import { readFileSync } from 'node:fs'\n${init}` },
      { inputs: { mirrors } },
      async (job, { calls }) => {
        assert.equal((await job.main()).status, 0)
        assert.deepEqual(calls()[1], ['content', mirrors])
        assert.equal(JSON.stringify(calls()[0]).includes('hunter2'), false)
        const file = join(job.temp, 'kubestep/mirrors')
        assert.equal(statSync(file).mode & 0o777, 0o600)
        await job.post('success')
        assert.equal(existsSync(file), false)
      },
    )
  })
})

const UPGRADE = `say({ event: 'progress', text: '[upgrade] From v1.35.3 to v1.36.2' })
say({ event: 'upgraded', nodeName: 'node', from: 'v1.35.3', kubernetesVersion: 'v1.36.2' })`

describe('a cluster that is there gets another version', { skip: busy }, () => {
  // As a step before leaves it.
  const present = [
    ...hiding.slice(0, 4),
    `${hiding[4]?.replace('&& exec @ARGV', '')} || exit 1;
    mkdir('${LAYOUT.state}'); open(my $f, '>', '${LAYOUT.ready}'); close($f); exec @ARGV`,
  ]
  const skip = !mayHide && 'a cluster cannot be feigned here'
  const inputs = { 'upgrade-to': '1.36', mirrors: 'https://me:secret-word@mirror.example' }

  test('upgrade is called, outputs say what there is now, and the end is that of the step before', {
    skip,
  }, async () => {
    await withJob({ upgrade: UPGRADE }, { inputs, wrapper: present }, async (job, { calls }) => {
      const { status, outputs, state, summary, lines, raw } = await job.main()
      assert.equal(status, 0, raw)
      const [[name, ...words] = []] = calls()
      assert.deepEqual([name, ...words.slice(0, 2)], ['upgrade', 'apply', '1.36'])
      assert.ok(words.includes(`--mirror=@${join(job.temp, 'kubestep/mirrors')}`), words.join(' '))
      assert.equal(outputs['kubernetes-version'], 'v1.36.2')
      assert.deepEqual(JSON.parse(outputs.result ?? '').from, 'v1.35.3')
      assert.deepEqual(state, {})
      assert.match(summary, /^### Kubernetes v1\.35\.3 was upgraded to v1\.36\.2 in /)
      assert.ok(lines.includes('[upgrade] From v1.35.3 to v1.36.2'))
      assert.match((await job.post('success')).raw, /Nothing to do/)
      assert.equal(calls().length, 1)
    })
  })

  test('one that cannot be upgraded makes the step red with the cause', { skip }, async () => {
    const upgrade = `say({ event: 'error', text: 'upgrade: cannot upgrade to "v1.37.0": it is newer' }); process.exit(1)`
    await withJob({ upgrade }, { inputs, wrapper: present }, async job => {
      const { status, annotations, outputs, summary } = await job.main()
      assert.equal(status, 1)
      assert.equal(annotations[0]?.title, 'cannot upgrade to "v1.37.0": it is newer')
      assert.match(summary, /^### No upgrade: cannot upgrade/)
      assert.equal(JSON.parse(outputs.result ?? '').ready, false)
    })
  })

  test('without a cluster, and beside what makes one, it is refused', async () => {
    await withJob({}, { inputs: { ...inputs, nodes: '3' } }, async (job, { calls }) => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.match(
        annotations[0]?.title ?? '',
        /^cannot use input "nodes" beside upgrade-to: the cluster is there already/,
      )
      assert.deepEqual(calls(), [])
    })
    await withJob({}, { inputs }, async (job, { calls }) => {
      const { annotations } = await job.main()
      assert.match(annotations[0]?.title ?? '', /^cannot upgrade: there is no cluster of kubestep on this machine/)
      assert.deepEqual(calls(), [])
    })
  })
})

describe('the kubeconfig of the job', { skip: busy }, () => {
  const inputs = { kubeconfig: 'deep/er/mine' }

  test('goes with the cluster, with the folders that were made for it, and the next job may write it again', async () => {
    await withJob({ init: READY_INIT }, { inputs }, async job => {
      for (const _again of [1, 2]) {
        const main = await job.main()
        assert.equal(main.status, 0, main.raw)
        assert.equal(main.outputs.kubeconfig, join(job.workspace, 'deep/er/mine'))
        // As kubectl does it: a namespace comes in.
        const file = main.outputs.kubeconfig ?? ''
        writeFileSync(file, `${readFileSync(file, 'utf8')}# a namespace\n`)
        assert.equal((await job.post('success')).status, 0)
        assert.equal(existsSync(join(job.workspace, 'deep')), false)
      }
    })
  })

  test('stays when it has become somebody else’s, and so does what the user put beside it', async () => {
    await withJob({ init: READY_INIT }, { inputs }, async job => {
      const { outputs } = await job.main()
      const file = outputs.kubeconfig ?? ''
      writeFileSync(file, 'clusters: [{ cluster: { certificate-authority-data: b3RoZXI= } }]\n')
      const post = await job.post('success')
      assert.deepEqual([post.status, post.annotations], [0, []])
      assert.match(post.raw, /is not the kubeconfig that was written there: it stays/)
      assert.ok(existsSync(file))
    })
  })

  test('takes no place that was taken, before or meanwhile', async () => {
    const prepare = (workspace: string): void => symlinkSync('/nonexistent', join(workspace, 'link'))
    await withJob({ init: READY_INIT }, { inputs: { kubeconfig: 'link' }, prepare }, async (job, { calls }) => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.match(annotations[0]?.title ?? '', /the file exists/)
      assert.deepEqual(calls(), [])
    })
    const init = `writeFileSync(args.find(word => word.startsWith('--node-name=')).slice(12), 'theirs')\n${READY_INIT}`
    const path = join(mkdtempSync(join(tmpdir(), 'kubestep-taken-')), 'mine')
    await withJob({ init }, { inputs: { kubeconfig: path, 'node-name': path } }, async job => {
      const { status, annotations } = await job.main()
      assert.equal(status, 1)
      assert.match(annotations[0]?.title ?? '', /cannot write kubeconfig ".*": the file exists/)
      assert.equal((await job.post('failure')).status, 0)
      assert.equal(readFileSync(path, 'utf8'), 'theirs')
    })
    rmSync(dirname(path), { recursive: true })
  })
})

describe('the end of the job', { skip: busy }, () => {
  const logs = `const path = fileURLToPath(new URL('../late.tar.gz', import.meta.url)); writeFileSync(path, 'late'); console.log(path)
console.error('[logs] the first broken link is the node: it is not Ready')`
  const rows = [
    ['success', {}, ['init', 'reset']],
    ['failure', {}, ['init', 'logs', 'reset']],
    ['cancelled', {}, ['init', 'logs', 'reset']],
    ['success', { logs: 'always' }, ['init', 'logs', 'reset']],
    ['failure', { logs: 'never' }, ['init', 'reset']],
    ['success', { cleanup: 'never' }, ['init']],
  ] as const
  for (const [status, inputs, expected] of rows) {
    test(`${status} with ${JSON.stringify(inputs)}: ${expected.join(', ')}`, async () => {
      await withJob({ init: READY_INIT, logs }, { inputs }, async (job, { calls }) => {
        const { outputs } = await job.main()
        const post = await job.post(status)
        assert.equal(post.status, 0, post.raw)
        assert.deepEqual(
          calls().map(([name]) => name),
          expected,
        )
        assert.equal(existsSync(outputs.kubeconfig ?? ''), 'cleanup' in inputs)
        const collected = expected.some(name => name === 'logs')
        assert.equal(existsSync(join(outputs.logs ?? '', 'late.tar.gz')), collected)
        assert.equal(post.summary.includes('it is not Ready'), collected)
      })
    })
  }

  test('is never red: what cannot be done is a warning, and the rest is done', async () => {
    const bad = `console.error('it: cannot do it'); process.exit(1)`
    await withJob({ init: READY_INIT, logs: bad, reset: bad }, {}, async (job, { calls }) => {
      await job.main()
      for (const _again of [1, 2]) {
        const { status, annotations } = await job.post('failure')
        assert.equal(status, 0)
        assert.deepEqual(
          annotations.map(({ kind }) => kind),
          ['warning', 'warning'],
        )
      }
      assert.deepEqual(
        calls().map(([name]) => name),
        ['init', 'logs', 'reset', 'logs', 'reset'],
      )
    })
  })

  test('without a main there is nothing to do', async () => {
    await withJob({}, {}, async (job, { calls }) => {
      const { status, raw } = await job.post('failure')
      assert.equal(status, 0)
      assert.match(raw, /Nothing to do/)
      assert.deepEqual(calls(), [])
    })
  })
})

describe('an end before the end', { skip: busy }, () => {
  const slow = (onTerm: string): string => `say({ event: 'progress', text: '[init] at work' })
process.on('SIGTERM', () => { ${onTerm} })
await sleep(60_000)
note('init', 'went on')`

  test('a cancelled main tells init and ends; post takes away what was begun', async () => {
    await withJob({ init: slow(`note('init', 'told'); process.exit(143)`) }, {}, async (job, { calls }) => {
      const { status, signal, milliseconds, annotations } = await job.main({
        endAt: { how: 'cancel', text: /at work/ },
      })
      assert.deepEqual([status, signal, annotations], [1, null, []])
      assert.ok(milliseconds < 7500, `it took ${milliseconds} ms`)
      assert.deepEqual((await job.post('cancelled')).status, 0)
      assert.deepEqual(
        calls().map(words => words.slice(0, 2).join(' ').replace(/ -.*/, '')),
        ['init', 'init told', 'logs', 'reset'],
      )
    })
  })

  test('a main that is cancelled while it loads says nothing more, and post ends the load of a killed one', async () => {
    const load = slow(`note('load', 'told'); console.error('load: interrupted'); process.exit(143)`)
    for (const how of ['cancel', 'kill'] as const) {
      await withJob(
        { init: READY_INIT, load: `console.log('at work')\n${load}` },
        { inputs: { 'load-images': 'a' } },
        async (job, { calls, ...checkout }) => {
          const { annotations } = await job.main({ endAt: { how, text: /^at work/m } })
          assert.deepEqual(annotations, [])
          assert.equal((await job.post('cancelled')).status, 0)
          assert.deepEqual(processesWith([join(checkout.folder, 'dist/load.mjs')]), [])
          assert.deepEqual(
            calls().map(([name, what]) => (what === 'told' ? `${name} told` : name)),
            ['init', 'load', 'load told', 'logs', 'reset'],
          )
        },
      )
    }
  })

  test('a killed main leaves an init behind; post ends it, even one that does not want to, before it resets', async () => {
    await withJob({ init: slow('') }, {}, async (job, { calls, ...checkout }) => {
      const path = join(checkout.folder, 'dist/init.mjs')
      const { signal } = await job.main({ endAt: { how: 'kill', text: /at work/ } })
      assert.equal(signal, 'SIGKILL')
      assert.equal(processesWith([path]).length, 1)
      assert.equal((await job.post('cancelled')).status, 0)
      assert.deepEqual(processesWith([path]).map(commandLine), [])
      assert.deepEqual(
        calls().map(([name, what]) => (what === 'went on' ? what : name)),
        ['init', 'logs', 'reset'],
      )
    })
  })
})

describe('the cache of the workflow', { skip: busy }, () => {
  const listing = `if (args[0] === '--list-images') {
  console.log('registry.k8s.io/kube-apiserver:v1.36.2\\nregistry.k8s.io/etcd:3.6.8-0')
  process.exit()
}`
  const fetching = `const folder = args.find(word => word.startsWith('--cache-dir=')).slice('--cache-dir='.length)
mkdirSync(folder + '/kubelet', { recursive: true })
writeFileSync(folder + '/kubelet/kubelet', 'the kubelet')
writeFileSync(folder + '/kubelet/kubelet.sha256', 'a record')`
  const bodies = { init: `${listing}\n${fetching}\n${READY_INIT}` }

  test('a first run fetches and keeps, a second one has it from there', async () => {
    const service = await startCacheService()
    try {
      const options = {
        // The client's tar takes no blanks.
        name: 'kubestep-job-',
        environment: service.environment,
        inputs: { 'kubernetes-version': '1.36', mirrors: 'https://m.example' },
      }
      await withJob(bodies, options, async (job, { calls }) => {
        const main = await job.main()
        assert.equal(main.status, 0, main.raw)
        assert.equal(main.outputs['cache-hit'], 'false')
        const folder = `--cache-dir=${join(job.temp, 'kubestep/components')}`
        assert.deepEqual(calls()[0], [
          'init',
          '--list-images',
          '--kubernetes-version=1.36',
          '--mirror=https://m.example',
          folder,
        ])
        assert.ok(calls()[1]?.includes(folder))
        // Before any other step can have written into the folder.
        assert.equal(service.keys().length, 1, main.raw)
        writeFileSync(join(job.temp, 'kubestep/components/kubelet/kubelet'), 'by a test')
        const post = await job.post('success')
        assert.equal(post.status, 0)
        assert.equal(service.keys().length, 1, post.raw)
        assert.match(service.keys()[0] ?? '', /^kubestep-2-linux-\w+-v1\.36\.2-[0-9a-f]{16}$/)
        assert.equal(existsSync(join(job.temp, 'kubestep/components')), false)
      })
      await withJob({ init: `${listing}\n${READY_INIT}` }, options, async (job, { calls }) => {
        const main = await job.main()
        assert.equal(main.status, 0, main.raw)
        assert.equal(main.outputs['cache-hit'], 'true')
        assert.deepEqual(
          calls().map(([name]) => name),
          ['init', 'init'],
        )
        const folder = join(job.temp, 'kubestep/components')
        assert.equal(readFileSync(join(folder, 'kubelet/kubelet'), 'utf8'), 'the kubelet')
        // What says of itself what it is, is not believed on another machine.
        assert.deepEqual(readdirSync(join(folder, 'kubelet')), ['kubelet'])
        assert.deepEqual(main.annotations, [])
        assert.equal((await job.post('success')).status, 0)
        assert.equal(service.keys().length, 1)
      })
    } finally {
      service.close()
    }
  })

  test('nothing is kept of a run that failed', async () => {
    const service = await startCacheService()
    try {
      const options = { name: 'kubestep-job-', environment: service.environment }
      await withJob({ init: `${listing}\n${fetching}\nprocess.exit(1)` }, options, async job => {
        assert.equal((await job.main()).status, 1)
        assert.equal((await job.post('failure')).status, 0)
        assert.deepEqual(service.keys(), [])
      })
    } finally {
      service.close()
    }
  })

  test('a service that refuses is no reason to fail', async () => {
    const service = await startCacheService(true)
    try {
      await withJob(bodies, { name: 'kubestep-job-', environment: service.environment }, async job => {
        const main = await job.main()
        assert.equal(main.status, 0, main.raw)
        assert.deepEqual(main.annotations, [])
        assert.equal(main.outputs['cache-hit'], 'false')
        const post = await job.post('success')
        assert.deepEqual([post.status, post.annotations], [0, []])
      })
    } finally {
      service.close()
    }
  })

  test('cache: false, artifacts of one’s own and no service: nothing is asked', async () => {
    const prepare = (workspace: string): void => mkdirSync(join(workspace, 'mine'))
    const environment = { ACTIONS_RESULTS_URL: 'http://127.0.0.1:9/', ACTIONS_RUNTIME_TOKEN: 'x' }
    const rows: readonly JobOptions[] = [
      { inputs: { cache: 'false' }, environment },
      { inputs: { artifacts: 'mine' }, environment },
      { inputs: { offline: 'true' }, environment },
      {},
    ]
    for (const options of rows) {
      await withJob({ init: READY_INIT }, { ...options, prepare }, async (job, { calls }) => {
        assert.equal((await job.main()).status, 0)
        assert.deepEqual(
          calls().map(([name]) => name),
          ['init'],
        )
      })
    }
  })
})

describe('bundles of the action', { skip: noNode }, () => {
  const OWN = ['action', 'action-post', 'action-cache']

  for (const [name, ...args] of [['action'], ['action-post'], ['action-cache', 'restore', 'key', 'folder']] as const) {
    test(`${name} works alone in a folder`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kubestep alone '))
      cpSync(join(ACTION_FOLDER, 'dist', `${name}.mjs`), join(folder, 'own.mjs'))
      const { status, stdout, stderr } = spawnSync(actionNode() ?? '', [join(folder, 'own.mjs'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: {},
      })
      assert.equal(stderr, '')
      // Without a runner the first one refuses, and the last one has nobody to ask.
      assert.equal(status, name === 'action-post' ? 0 : 1)
      assert.match(stdout, /no runner has started it|Nothing to do|[Cc]ache/)
      rmSync(folder, { recursive: true })
    })
  }

  test('together stay small', () => {
    const size = (name: string): number => statSync(join(ACTION_FOLDER, 'dist', `${name}.mjs`)).size
    assert.ok(size('action') < 250_000)
    assert.ok(size('action-post') < 50_000)
    const all = [...OWN, 'init', 'reset', 'logs', 'load'].reduce((sum, name) => sum + size(name), 0)
    // Init carries the agent as text.
    assert.ok(all < 2.5 * 1024 * 1024, `${all} bytes`)
  })
})
