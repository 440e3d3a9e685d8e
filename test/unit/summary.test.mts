import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterUp } from '../../lib/phases/init/bring-up.ts'
import { type SummaryOptions, summary } from '../../lib/phases/init/init-summary.ts'
import { goldenCases, goldenInputs } from './objects-cases.mts'

const [golden] = goldenCases('v1.36.2')
assert.ok(golden)
const { caCertificate } = goldenInputs(golden)
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const ADMIN_CONF = `apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://192.0.2.7:6443', certificate-authority-data: ${base64(caCertificate)}}}]
users: [{name: u, user: {client-certificate-data: ${base64('x')}, client-key-data: ${base64('y')}}}]
`
const TOKEN = 'abcdef.0123456789abcdef'

function lines(more: Partial<ClusterUp['config']['init']>, options: Partial<SummaryOptions>): string {
  const config = golden?.config
  assert.ok(config)
  const init = { ...config.init, bootstrapTokens: [{ token: TOKEN }], ...more } as ClusterUp['config']['init']
  const up: ClusterUp = {
    config: { ...config, init },
    gates: [{ name: 'api', passed: true, afterMs: 1 }],
    runtime: { name: 'containerd', version: '1.7' },
    kubectl: '/var/lib/kubestep/bin/kubectl',
    timings: { api: 3210 },
  }
  return summary(up, { flags: {}, adminConf: ADMIN_CONF, hasKubectl: true, ...options }).join('\n')
}

const JOIN =
  /kubeadm join 192\.0\.2\.7:6443 --token abcdef\.0123456789abcdef \\\n\t--discovery-token-ca-cert-hash sha256:/

for (const [what, more, options, present, absent] of [
  ['says how to use it and how nodes join', {}, {}, JOIN, /kubestep\/bin/],
  [
    'names the kubectl that is not on the PATH',
    {},
    { hasKubectl: false },
    / {2}\/var\/lib\/kubestep\/bin\/kubectl get nodes/,
    /^$/,
  ],
  ['withholds the token', {}, { flags: { 'skip-token-print': true } }, /--token <value withheld>/, /0123456789abcdef/],
  ['has no token for a log of CI', {}, { flags: { profile: 'ci' } }, /kubectl get nodes/, /abcdef/],
  ['says what is missing without a Pod network', {}, { flags: { cni: 'none' } }, /There is no Pod network/, /^$/],
  ['leaves the join command out', { skipPhases: ['show-join-command'] }, {}, /kubectl get nodes/, /kubeadm join/],
  ['does without an admin.conf', {}, { adminConf: undefined }, /kubectl get nodes/, /kubeadm join/],
] as const) {
  test(`summary() ${what}`, () => {
    const text = lines(more, options)
    assert.doesNotMatch(text, /\[ready\]/)
    assert.match(text, /\[init\] To take it away again:\n\n {2}\S.*reset\.m[jt]s\n/)
    assert.match(text, /is ready after 3\.2 s/)
    assert.match(text, /admin\.conf/)
    assert.match(text, present)
    assert.doesNotMatch(text, absent)
  })
}
