/** What an upgrade is asked for, by flags and by an UpgradeConfiguration with every field. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { UsageError } from '../../lib/base/errors.ts'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { unknownChecks } from '../../lib/phases/upgrade/upgrade-checks.ts'
import { readUpgradeRequest, type UpgradeRequest } from '../../lib/phases/upgrade/upgrade-request.ts'
import { upgradeCommand } from '../../lib/phases/upgrade.ts'
import { outputOf } from '../output.ts'

function requestOf(argv: readonly string[], config?: string): UpgradeRequest {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-test-'))
  try {
    const file = join(folder, 'upgrade.yaml')
    if (config !== undefined) writeFileSync(file, config)
    const words = config === undefined ? argv : [...argv, '--config', file]
    const parsed = parseArguments(upgradeCommand, words)
    return readUpgradeRequest({ ...parsed, name: 'upgrade', output: outputOf() }).request
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const FULL = `apiVersion: kubeadm.k8s.io/v1beta4
kind: UpgradeConfiguration
apply:
  kubernetesVersion: v1.36.2
  allowExperimentalUpgrades: true
  allowRCUpgrades: true
  certificateRenewal: false
  dryRun: true
  etcdUpgrade: false
  forceUpgrade: true
  ignorePreflightErrors: [CreateJob]
  patches: { directory: /patches/apply }
  printConfig: true
  skipPhases: [addon/coredns, uploadconfig]
  imagePullPolicy: Never
  imagePullSerial: false
node:
  certificateRenewal: false
  dryRun: true
  etcdUpgrade: false
  ignorePreflightErrors: [StaticPodManifest]
  patches: { directory: /patches/node }
  skipPhases: [preflight]
  imagePullPolicy: Never
  imagePullSerial: false
plan:
  kubernetesVersion: v1.36.1
  allowExperimentalUpgrades: true
  allowRCUpgrades: true
  dryRun: true
  etcdUpgrade: false
  ignorePreflightErrors: [all]
  printConfig: true
diff: { kubernetesVersion: v1.36.0, contextLines: 7 }
timeouts: { upgradeManifests: 7m0s }
`

const NOTHING = {
  dryRun: false,
  force: false,
  etcdUpgrade: true,
  certificateRenewal: true,
  allowExperimental: false,
  allowReleaseCandidate: false,
  ignored: [],
  contextLines: 3,
  printConfig: false,
  pulls: true,
}

type Row = readonly [argv: string, config: string | undefined, expected: Partial<UpgradeRequest>]

const ROWS: readonly Row[] = [
  ['apply v1.36.2', undefined, { ...NOTHING, command: 'apply', version: 'v1.36.2' }],
  ['apply 1.36', undefined, { ...NOTHING, command: 'apply', version: '1.36' }],
  ['plan stable', undefined, { version: 'stable' }],
  ['node', undefined, { ...NOTHING, command: 'node' }],
  [
    'apply',
    FULL,
    {
      command: 'apply',
      version: 'v1.36.2',
      steps: [
        'preflight',
        'control-plane',
        'kubeconfig',
        'kubelet-config',
        'bootstrap-token',
        'addon/kube-proxy',
        'post-upgrade',
      ],
      dryRun: true,
      force: true,
      etcdUpgrade: false,
      certificateRenewal: false,
      allowExperimental: true,
      allowReleaseCandidate: true,
      patches: '/patches/apply',
      ignored: ['CreateJob'],
      pulls: false,
      printConfig: true,
    },
  ],
  ['apply v1.36.3', FULL, { version: 'v1.36.3' }],
  [
    'node',
    FULL,
    {
      command: 'node',
      steps: ['control-plane', 'kubeconfig', 'kubelet-config', 'addon/coredns', 'addon/kube-proxy', 'post-upgrade'],
      dryRun: true,
      etcdUpgrade: false,
      certificateRenewal: false,
      patches: '/patches/node',
      ignored: ['StaticPodManifest'],
    },
  ],
  // What the command line says of phases takes the place of the file's, names to ignore come together.
  [
    'node --skip-phases addon',
    FULL,
    { steps: ['preflight', 'control-plane', 'kubeconfig', 'kubelet-config', 'post-upgrade'] },
  ],
  ['node --ignore-preflight-errors=CreateJob', FULL, { ignored: ['CreateJob', 'StaticPodManifest'] }],
  ['node --dry-run=false', FULL, { dryRun: false }],
  [
    'plan',
    FULL,
    { version: 'v1.36.1', etcdUpgrade: false, allowExperimental: true, printConfig: true, ignored: ['all'] },
  ],
  ['diff', FULL, { version: 'v1.36.0', contextLines: 7 }],
  ['apply phase upload-config kubelet', undefined, { steps: ['upload-config/kubelet'] }],
  ['apply phase addon', undefined, { steps: ['addon/coredns', 'addon/kube-proxy'] }],
  ['node phase kubelet-config', FULL, { steps: ['kubelet-config'] }],
]

for (const [argv, config, expected] of ROWS) {
  test(`upgrade ${argv}${config === undefined ? '' : ', with a file'}`, () => {
    const request = requestOf(argv.split(' '), config)
    const named = Object.keys(expected) as (keyof UpgradeRequest)[]
    assert.deepEqual(Object.fromEntries(named.map(name => [name, request[name]])), expected)
  })
}

test('how long a manifest may take is the file’s', () => {
  assert.equal(requestOf(['apply'], FULL).timeouts.upgradeManifests, '7m0s')
})

const REFUSED: readonly (readonly [argv: string, config: string | undefined, reason: RegExp])[] = [
  ['apply --force', FULL, /--config together with --force/],
  ['apply v1.36.2 v1.36.3', undefined, /one version is enough/],
  ['apply 1.17', undefined, /releases before v1.18 are not supported/],
  ['apply 1.3', undefined, /put it in quotes/],
  ['apply later', undefined, /cannot upgrade to "later"/],
  ['apply v1.36.2 --skip-phases addon/corednss', undefined, /did you mean "addon\/coredns"/],
  [
    'apply v1.36.2 --ignore-preflight-errors=all,CreateJob',
    undefined,
    /individual checks cannot be named beside "all"/,
  ],
  ['plan --ignore-preflight-errors=CreateJob', FULL, /individual checks cannot be named beside "all"/],
]

for (const [argv, config, reason] of REFUSED) {
  test(`upgrade ${argv} is refused: ${reason.source}`, () => {
    assert.throws(
      () => requestOf(argv.split(' '), config),
      (error: unknown) => error instanceof UsageError && reason.test(error.message),
    )
  })
}

test('names to ignore that no check has are named', () => {
  assert.deepEqual(unknownChecks(['CreateJob', 'controlplanenodesready', 'ALL', 'ImagePull']), [])
  assert.deepEqual(unknownChecks(['StaticPodManifests', 'Moon']), [
    '[preflight] there is no check "StaticPodManifests" to ignore; did you mean "StaticPodManifest"?',
    '[preflight] there is no check "Moon" to ignore',
  ])
})
