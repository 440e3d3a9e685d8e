import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { componentArguments, componentFaults } from '../../lib/action/component-args.ts'
import { FOREIGN_INPUTS } from '../../lib/action/foreign-inputs.ts'
import { listItems } from '../../lib/action/given-inputs.ts'
import { initCall } from '../../lib/action/init-arguments.ts'
import { INPUT_ROWS, INPUTS, type Input, type InputName } from '../../lib/action/inputs.ts'
import { OUTPUT_ROWS, OUTPUTS } from '../../lib/action/outputs.ts'
import { readInputs } from '../../lib/action/read-inputs.ts'
import { leaksInputs, placesOf, runnerOf } from '../../lib/action/runner-environment.ts'
import { UPGRADE_INPUTS, upgradeFaults, upgradeFlags } from '../../lib/action/upgrade-arguments.ts'
import { isObject, type Json, type JsonObject } from '../../lib/base/json.ts'
import { parse, parseAll } from '../../lib/base/yaml.ts'
import { OPTIONS } from '../../lib/cli/options.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { upgradeCommand } from '../../lib/phases/upgrade.ts'
import { actionTables } from '../../scripts/build/action-tables.ts'
import { actionMetadata } from '../../scripts/build/action-yml.ts'
import { fillTables } from '../../scripts/build/tables.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

function read(inputs: Readonly<Record<string, string>>): ReturnType<typeof readInputs> {
  return readInputs(
    Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    ROOT,
  )
}

describe('one table', () => {
  test('INPUTS and OUTPUTS are what action.yml declares, in order, each with a description and an example', () => {
    const text = readFileSync(join(ROOT, 'action.yml'), 'utf8')
    assert.equal(text, actionMetadata())
    const { inputs, outputs, runs } = parse(text) as Readonly<Record<string, JsonObject>>
    assert.deepEqual(Object.keys(inputs ?? {}), Object.keys(INPUTS))
    assert.deepEqual(Object.keys(outputs ?? {}), Object.keys(OUTPUTS))
    for (const [name, { about, default: fallback, example, implied, internal }] of INPUT_ROWS) {
      const declared = (inputs?.[name] ?? {}) as JsonObject
      assert.match(String(declared.description).toLowerCase(), new RegExp(escaped(about.toLowerCase())))
      if (!internal) assert.ok(String(declared.description).endsWith(`Example: ${example}`), name)
      assert.equal(declared.default, implied ? undefined : fallback, name)
      if (implied) assert.ok(String(declared.description).includes(`Default: ${fallback}.`), name)
    }
    for (const [name, { about }] of OUTPUT_ROWS) {
      assert.equal(
        String((outputs?.[name] as JsonObject | undefined)?.description).toLowerCase(),
        `${about.toLowerCase()}.`,
      )
    }
    assert.deepEqual(runs, {
      using: 'node24',
      main: 'dist/action.mjs',
      post: 'dist/action-post.mjs',
      'post-if': 'always()',
    })
  })

  test('every input is kebab-case, its flag is an option, its own default and example are right', () => {
    for (const [name, { choices, default: fallback, example, flag, implied, kind }] of INPUT_ROWS) {
      assert.match(name, /^[a-z]+(-[a-z]+)*$/)
      if (flag !== undefined) assert.ok(flag in OPTIONS, name)
      assert.equal(kind === 'choice', choices !== undefined, name)
      const value = implied ? undefined : fallback
      if (['folder', 'file', 'config'].includes(kind)) continue
      for (const text of [example, ...(value === undefined ? [] : [value])]) {
        assert.deepEqual(read({ [name]: text }).faults, [], `${name}: ${text}`)
      }
    }
  })

  test('actionTables() fills the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    for (const [name, table] of Object.entries(actionTables())) {
      assert.ok(table.split('\n').length > 2, name)
      if (readme.includes(`<!-- table: ${name} -->`)) assert.ok(readme.includes(table), `${name} is stale`)
    }
    assert.match(fillTables('<!-- table: inputs -->\n<!-- end -->', actionTables()), /`kubernetes-version`/)
  })

  test('no foreign name is one of ours, each leads somewhere', () => {
    for (const { names, use } of FOREIGN_INPUTS) {
      for (const name of names) assert.equal(name in INPUTS, false, name)
      if (!use.includes(' ')) assert.ok(use in INPUTS, use)
    }
  })
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

describe('readInputs()', () => {
  const wrong: readonly (readonly [name: InputName, value: string, reason: RegExp])[] = [
    ['kubernetes-version', 'newest!', /it is not a version/],
    ['kubernetes-version', '1', /it is not a version/],
    ['kubernetes-version', '1.3', /1\.3 is not a release; if 1\.30 is meant, put it in quotes: '1\.30'/],
    ['config', 'no/such.yaml', /there is no such file in/],
    ['config', 'test', /it is a folder/],
    ['profile', 'cii', /did you mean ci\?/],
    ['cni', 'flannel', /use one of bridge, none/],
    ['feature-gates', 'A=1', /"A=1" is neither NAME=true nor NAME=false/],
    ['runtime-config', 'api/all', /is not NAME=VALUE/],
    ['extra-args', 'apiserver', /it is not a mapping of components/],
    ['extra-args', '{ apiserver: { a: 1', /./],
    ['extra-args', '{ apisever: { v: 4 } }', /did you mean apiserver\?/],
    ['extra-args', '{ kube-proxy: { v: 4 } }', /give one in config/],
    ['artifacts', 'no/such', /there is no such folder/],
    ['artifacts', 'package.json', /it is a file/],
    ['lock', 'no/such', /there is no such file/],
    ['lock', 'test', /it is not a file/],
    ['timeout', '4 minutes', /./],
    ['timeout', '90', /without a unit/],
    ['timeout', '0', /not above zero/],
    ['timeout', '-1m', /not above zero/],
    ['pod-network-cidr', '10.0.0.0', /not a range of addresses/],
    ['apiserver-port', '70000', /not a port/],
    ['cache', 'yes', /write true or false/],
    ['logs', 'on_failure', /did you mean on-failure\?/],
    ['cleanup', 'no', /use one of always, never/],
    ['node-name', 'a\nb', /several lines/],
  ]
  for (const [name, value, reason] of wrong) {
    test(`refuses ${name} ${JSON.stringify(value)}`, () => {
      const { faults } = read({ [name]: value })
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0] ?? '', reason)
      assert.ok(faults[0]?.startsWith(`action: cannot use input "${name}" `))
    })
  }

  test('names all that is wrong at once', () => {
    const { faults, unknown } = read({ timeout: 'x', cache: 'y', wait_timeout: '1m', 'kubernetes-vesion': '1.36' })
    assert.equal(faults.length, 2)
    assert.deepEqual(unknown, [
      'action: cannot use input "kubernetes-vesion": it is unknown; did you mean kubernetes-version?',
      'action: cannot use input "wait_timeout": it is unknown; use timeout',
    ])
  })

  const right: readonly (readonly [name: InputName, value: string])[] = [
    ['kubernetes-version', '1.36'],
    ['kubernetes-version', 'v1.37.0-rc.1'],
    ['kubernetes-version', 'stable'],
    ['kubernetes-version', 'ci/latest-1.37'],
    ['kubernetes-version', 'ci/v1.37.0-alpha.1.5+0123abc'],
    ['config', 'kind: ClusterConfiguration'],
    ['config', 'package.json'],
    ['cache', 'TRUE'],
    ['pod-network-cidr', '10.244.0.0/16,fd00:1::/64'],
    ['feature-gates', 'A=true,\nB=false'],
    ['extra-args', 'apiserver:\n  v: 4\n  audit-log-path: "-"\n'],
  ]
  for (const [name, value] of right) {
    test(`takes ${name} ${JSON.stringify(value)}`, () => {
      assert.deepEqual(read({ [name]: value }), { given: { [name]: value.trim() }, faults: [], unknown: [] })
    })
  }

  test('leaves out what is empty', () => {
    assert.deepEqual(read({ config: '', timeout: '  ' }).given, {})
  })
})

test('listItems() splits at commas and line breaks', () => {
  assert.deepEqual(listItems(' a, b\n\nc,'), ['a', 'b', 'c'])
  assert.deepEqual(listItems(undefined), [])
})

test('componentArguments() takes several names for a component, and lists of values', () => {
  assert.deepEqual(componentFaults('{ kube-apiserver: { v: 4, a: [x, z] } }'), [])
  assert.deepEqual(componentArguments('{ kube-apiserver: { --v: 4, a: [x, z] }, etcd: { quota: 1e3 } }'), {
    apiserver: [
      { name: 'v', value: '4' },
      { name: 'a', value: 'x' },
      { name: 'a', value: 'z' },
    ],
    etcd: [{ name: 'quota', value: '1000' }],
  })
})

describe('initCall()', () => {
  const waits: readonly (readonly [cni: string, wait: string, flag: string | undefined])[] = [
    ['bridge', 'all', '--wait=all'],
    ['none', 'all', undefined],
    ['none', 'none', '--wait=none'],
    ['none', 'api,node', '--wait=api,node'],
  ]
  for (const [cni, wait, flag] of waits) {
    test(`with cni ${cni} and wait ${wait} says ${flag ?? 'nothing'} of gates`, () => {
      const { flags } = initCall(read({ cni, wait }).given, ROOT)
      assert.equal(
        flags.find(text => text.startsWith('--wait')),
        flag,
      )
    })
  }

  test('says with flags what flags can say', () => {
    const { given } = read({
      'kubernetes-version': '1.35',
      wait: 'api\nnode',
      timeout: '90s',
      artifacts: 'test',
      lock: 'package.json',
      profile: 'ci',
      cleanup: 'never',
      mirrors: 'https://a.example, docker.io=https://b.example',
    })
    assert.deepEqual(initCall(given, ROOT), {
      flags: [
        '--kubernetes-version=1.35',
        '--profile=ci',
        '--mirror=https://a.example,docker.io=https://b.example',
        `--artifacts=${join(ROOT, 'test')}`,
        `--lock=${join(ROOT, 'package.json')}`,
        '--wait=api,node',
      ],
    })
  })

  const user = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.35.0 # mine\n'

  test("leaves the user's configuration as it is when nothing has to go in", () => {
    const { given } = read({ timeout: '90s', 'node-name': 'one' })
    assert.deepEqual(initCall(given, ROOT, user), { flags: ['--node-name=one'], config: user })
  })

  test('writes into it what init takes no flag for then', () => {
    const { given } = read({
      'kubernetes-version': '1.36',
      'pod-network-cidr': '10.1.0.0/16',
      'node-name': 'one',
      'cluster-name': 'mine',
      'feature-gates': 'A=true,B=false',
      'runtime-config': 'api/alpha=true',
      'extra-args': '{ apiserver: { v: 4 }, kubelet: { max-pods: 200 }, etcd: { a: b } }',
    })
    const { flags, config } = initCall(given, ROOT, user)
    assert.deepEqual(flags, ['--node-name=one'])
    const gates = { A: true, B: false }
    const gated = { name: 'feature-gates', value: 'A=true,B=false' }
    assert.deepEqual(parseAll(config ?? ''), [
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'ClusterConfiguration',
        kubernetesVersion: '1.36',
        clusterName: 'mine',
        networking: { podSubnet: '10.1.0.0/16' },
        apiServer: {
          extraArgs: [gated, { name: 'runtime-config', value: 'api/alpha=true' }, { name: 'v', value: '4' }],
        },
        controllerManager: { extraArgs: [gated] },
        scheduler: { extraArgs: [gated] },
        etcd: { local: { extraArgs: [{ name: 'a', value: 'b' }] } },
      },
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'InitConfiguration',
        nodeRegistration: { kubeletExtraArgs: [{ name: 'max-pods', value: '200' }] },
      },
      { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', featureGates: gates },
      { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', featureGates: gates },
    ])
  })

  test('keeps to the API version of the file, and replaces flags of the same name', () => {
    const old =
      'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\napiServer: {extraArgs: {v: "2", x: z}}\n'
    const { given } = read({ 'extra-args': '{ apiserver: { v: 4 }, kubelet: { a: b } }' })
    const { config = '' } = initCall(given, ROOT, old)
    const [cluster, init] = parseAll(config).filter(isObject)
    assert.deepEqual(at(cluster, 'apiServer', 'extraArgs'), { v: '4', x: 'z' })
    assert.equal(init?.apiVersion, 'kubeadm.k8s.io/v1beta3')
    assert.deepEqual(at(init, 'nodeRegistration', 'kubeletExtraArgs'), { a: 'b' })
  })

  test('lists of the file and of inputs come together, by name', () => {
    const file = [
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: ClusterConfiguration',
      'apiServer:',
      '  certSANs: [a.example, b.example]',
      '  extraArgs:',
      '  - { name: feature-gates, value: "A=true,B=true" }',
      '  - { name: runtime-config, value: "api/beta=true" }',
      '  - { name: enable-admission-plugins, value: NodeRestriction }',
      '  - { name: audit-log-path, value: "-" }',
      '---',
      'apiVersion: kubeadm.k8s.io/v1beta4',
      'kind: InitConfiguration',
      'skipPhases: [addon/kube-proxy]',
      '---',
      'apiVersion: kubelet.config.k8s.io/v1beta1',
      'kind: KubeletConfiguration',
      'featureGates: { A: true, D: true }',
      '',
    ].join('\n')
    const { given } = read({
      'feature-gates': 'B=false,C=true',
      'runtime-config': 'api/alpha=true',
      'extra-args': '{ apiserver: { enable-admission-plugins: PodSecurity, feature-gates: E=true } }',
      'apiserver-cert-extra-sans': 'b.example, c.example',
      'skip-phases': 'addon/coredns',
    })
    const { flags, config = '', notices } = initCall(given, ROOT, file)
    const [cluster, init, kubelet] = parseAll(config)
    assert.deepEqual(at(cluster, 'apiServer', 'extraArgs'), [
      { name: 'audit-log-path', value: '-' },
      { name: 'runtime-config', value: 'api/beta=true,api/alpha=true' },
      { name: 'enable-admission-plugins', value: 'NodeRestriction,PodSecurity' },
      { name: 'feature-gates', value: 'A=true,B=false,C=true,E=true' },
    ])
    assert.deepEqual(at(cluster, 'apiServer', 'certSANs'), ['a.example', 'b.example', 'c.example'])
    assert.deepEqual(at(init, 'skipPhases'), ['addon/kube-proxy'])
    assert.ok(flags.includes('--skip-phases=addon/kube-proxy,addon/coredns'))
    assert.deepEqual(at(kubelet, 'featureGates'), { A: true, D: true, B: false, C: true })
    assert.deepEqual(notices, [
      'apiserver feature-gates "B=false" of the inputs wins over "B=true" of the configuration',
    ])
  })

  test('says where an input wins over the file', () => {
    const file = [
      'apiVersion: kubeadm.k8s.io/v1beta3',
      'kind: ClusterConfiguration',
      'clusterName: one',
      'networking: { podSubnet: 10.1.0.0/16, dnsDomain: same.example }',
      'apiServer: { extraArgs: { v: "2", oidc-client-secret: old, x: z } }',
      '',
    ].join('\n')
    const { given } = read({
      'extra-args': '{ apiserver: { v: 4, oidc-client-secret: new } }',
      'pod-network-cidr': '10.2.0.0/16',
      'service-dns-domain': 'same.example',
      'cluster-name': 'two',
    })
    const { config = '', notices } = initCall(given, ROOT, file)
    assert.deepEqual(at(parseAll(config)[0], 'apiServer', 'extraArgs'), { v: '4', 'oidc-client-secret': 'new', x: 'z' })
    assert.deepEqual(notices, [
      'ClusterConfiguration networking.podSubnet "10.2.0.0/16" of the inputs wins over "10.1.0.0/16" of the configuration',
      'ClusterConfiguration clusterName "two" of the inputs wins over "one" of the configuration',
      'apiserver v "4" of the inputs wins over "2" of the configuration',
      'apiserver oidc-client-secret of the inputs wins over that of the configuration',
    ])
  })

  test('a phase that is skipped by the file and by the input stays skipped where nothing else is changed', () => {
    const file = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nskipPhases: [addon/kube-proxy]\n'
    assert.deepEqual(initCall(read({ 'skip-phases': 'addon/coredns' }).given, ROOT, file), {
      flags: ['--skip-phases=addon/kube-proxy,addon/coredns'],
      config: file,
    })
  })

  test('makes what init reads, for every release and API version', () => {
    const { given } = read({
      'extra-args': '{ apiserver: { v: 4 }, scheduler: { v: 3 }, kubelet: { max-pods: 200 } }',
      'cluster-name': 'mine',
      'service-cidr': '10.200.0.0/16',
    })
    for (const [version, apiVersion] of [
      ['v1.36.2', 'v1beta4'],
      ['v1.25.0', 'v1beta3'],
      ['v1.20.2', 'v1beta2'],
      ['v1.20.2', undefined],
    ] as const) {
      const file =
        apiVersion &&
        `apiVersion: kubeadm.k8s.io/${apiVersion}\nkind: ClusterConfiguration\nkubernetesVersion: v1.18.0\n`
      const { config: text = '' } = initCall({ ...given, 'kubernetes-version': version }, ROOT, file)
      const { config } = loadInitConfig({ text, file: 'inputs' }, GOLDEN_FACTS)
      assert.equal(config.cluster.kubernetesVersion, version)
      assert.equal(config.cluster.clusterName, 'mine')
      assert.equal(config.cluster.networking.serviceSubnet, '10.200.0.0/16')
      assert.deepEqual(config.cluster.apiServer.extraArgs, [{ name: 'v', value: '4' }])
      assert.deepEqual(config.init.nodeRegistration.kubeletExtraArgs, [{ name: 'max-pods', value: '200' }])
    }
  })
})

function at(object: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), object)
}

describe('upgrade-to', () => {
  test('what the runner fills in is no fault, what makes a cluster is', () => {
    const filled = Object.fromEntries(
      INPUT_ROWS.flatMap(([name, { default: value, implied }]) => (value && !implied ? [[name, value]] : [])),
    )
    const wishes = Object.fromEntries(UPGRADE_INPUTS.map(name => [name, INPUTS[name].example]))
    assert.deepEqual(upgradeFaults({ ...filled, ...wishes, 'job-status': 'failure', 'upgrade-to': '1.36' }), [])
    assert.deepEqual(upgradeFaults({ ...filled, nodes: '3' }), [])
    const faults = upgradeFaults({ ...filled, 'upgrade-to': '1.36', 'kubernetes-version': '1.35', profile: 'kubeadm' })
    assert.deepEqual(
      faults.map(line => /^action: cannot use input "([\w-]+)" beside upgrade-to: /.exec(line)?.[1]),
      ['kubernetes-version', 'profile'],
    )
  })

  test('flags are options of upgrade apply, and those of the cluster are none of them', () => {
    const { given } = read({ 'upgrade-to': '1.36', artifacts: 'lib', mirrors: 'a=b\nc', offline: 'false', wait: 'all' })
    assert.deepEqual(upgradeFlags(given, ROOT), ['--mirror=a=b,c', `--artifacts=${join(ROOT, 'lib')}`])
    const apply = upgradeCommand.subcommands?.find(({ name }) => name === 'apply')
    for (const name of UPGRADE_INPUTS) {
      const { flag = 'timeout' }: Input = INPUTS[name]
      assert.ok(
        apply?.options?.some(option => option === flag),
        name,
      )
    }
  })
})

describe('environment', () => {
  test('runnerOf() knows its runners; others than GitHub’s leak inputs of outer actions', () => {
    const rows = [
      [{ GITHUB_ACTIONS: 'true' }, 'github', false],
      [{ GITHUB_ACTIONS: 'true', GITEA_ACTIONS: 'true' }, 'gitea', true],
      [{ GITHUB_ACTIONS: 'true', FORGEJO_ACTIONS: 'true', GITEA_ACTIONS: 'true' }, 'forgejo', true],
      [{ GITHUB_ACTIONS: 'true', ACT: 'true' }, 'act', true],
      [{}, 'unknown', false],
    ] as const
    for (const [environment, runner, leaks] of rows) {
      assert.equal(runnerOf(environment), runner)
      assert.equal(leaksInputs(environment), leaks)
    }
  })

  test('placesOf() does without any variable', () => {
    const { folder, workspace } = placesOf({})
    assert.ok(existsSync(join(folder, '..')))
    assert.equal(workspace, process.cwd())
  })
})
