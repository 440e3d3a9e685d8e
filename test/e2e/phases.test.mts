/** The road by hand, phase by phase as with kubeadm, and what init makes of what phases left. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { failed, init, leavesNothing, succeeded } from './attempt.ts'
import { bundle, run, until } from './programs.ts'
import type { Target } from './targets.ts'

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml'

/** Phases in the order of kubeadm's init; `network` is ours. */
const BEFORE: readonly (readonly string[])[] = [
  ['certs', 'all'],
  ['kubeconfig', 'all'],
  ['etcd', 'local'],
  ['control-plane', 'all'],
]
const AFTER: readonly (readonly string[])[] = [
  ['upload-config', 'all'],
  ['mark-control-plane'],
  ['bootstrap-token', '--skip-token-print'],
  ['kubelet-finalize', 'all'],
  ['addon', 'all'],
  ['show-join-command', '--skip-token-print'],
]

leavesNothing('phases by hand make a cluster, and a manifest that was changed meanwhile is taken', async target => {
  const phase = async ([name = '', ...args]: readonly string[]) => run(bundle(name, ...args, ...configOf(target)))
  for (const step of BEFORE) succeeded(await phase(step))
  const good = readFileSync(MANIFEST, 'utf8')
  writeFileSync(MANIFEST, good.replace('    - --secure-port', '    - --no-such-flag=1\n    - --secure-port'))
  succeeded(await phase(['kubelet-start', '--artifacts', target.artifacts, '--runtime', 'private']))
  succeeded(await phase(['network', '--runtime', 'private']))
  const wait = ['wait-control-plane', '--timeout', '2m']
  failed(await phase(wait), /first broken link is the kube-apiserver/, /no-such-flag/)
  succeeded(await phase(['control-plane', 'apiserver']))
  succeeded(await phase(wait))
  for (const step of AFTER) succeeded(await phase(step))
  await until('the node is Ready', async () => {
    const { stdout } = await run([target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf', 'get', 'nodes'])
    return / Ready /.test(stdout)
  })
})

leavesNothing('init keeps what phases made, also when one has failed in between', async target => {
  succeeded(await run(bundle('certs', 'all', ...configOf(target))))
  succeeded(await run(bundle('kubeconfig', 'all', ...configOf(target))))
  const kept = ['/etc/kubernetes/pki/ca.crt', '/etc/kubernetes/admin.conf', '/etc/kubernetes/kubelet.conf']
  const read = (): string[] => kept.map(path => readFileSync(path, 'utf8'))
  const before = read()
  failed(await run(init(target, '--timeout', '2s')))
  const again = await run(init(target))
  succeeded(again)
  assert.match(again.stdout, /Taking away what an earlier init left/)
  assert.match(again.stdout, /Using existing ca certificate authority/)
  assert.deepEqual(read().slice(0, 2), before.slice(0, 2))
})

function configOf({ args }: Target): readonly string[] {
  return args.slice(0, 2)
}
