/** The list of an init is whole, and what it renders is told and placed as one run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PHASES } from '../../lib/kubeadm/config/phase-names.ts'
import { INIT } from '../../lib/phases/init/schedule.ts'
import { type RenderedStep, renderSteps, type Step } from '../../lib/phases/run/render-steps.ts'
import { configOf, givenFor } from './objects-cases.mts'

const CONFIG = configOf('v1.36.2', {})
// Without the access of a cluster that lives already.
const { access: _, ...GIVEN } = givenFor(CONFIG, { caCertificate: '', now: new Date('2030-01-31T12:00:00Z') })

async function rendered(
  host: Readonly<Record<string, string>> = {},
  skipped: readonly string[] = [],
): Promise<{ readonly said: readonly string[]; readonly steps: readonly RenderedStep<Step>[] }> {
  const said: string[] = []
  const given = { ...GIVEN, readCredential: (path: string) => host[path] }
  const steps = await renderSteps(INIT, given, skipped, ({ name }, { messages }) => {
    said.push(`${name}: ${messages.length}`)
  })
  return { said, steps }
}

test('INIT has every phase of kubeadm in its order, and every sub-phase once', () => {
  assert.deepEqual(
    [...new Set(INIT.map(({ phase }) => phase.name))],
    PHASES.map(({ name }) => name),
  )
  for (const { name, subphases } of PHASES) {
    const steps = INIT.filter(({ phase }) => phase.name === name)
    assert.deepEqual(
      steps.flatMap(({ phase, names }) => names ?? phase.subphases),
      subphases,
    )
  }
})

test('renderSteps() tells of each phase once, also where its sub-phases are steps of their own', async () => {
  const { said } = await rendered()
  assert.deepEqual(said, ['certs: 15', 'kubeconfig: 6', 'etcd: 1', 'control-plane: 3', 'kubelet-start: 3'])
})

test('renderSteps() has the kubeconfigs signed by the CA of the same run, and puts that into cluster-info', async () => {
  const { steps } = await rendered()
  const files = new Map(steps.flatMap(step => step.files).map(({ path, content }) => [path, String(content)]))
  const authority = Buffer.from(files.get('/etc/kubernetes/pki/ca.crt') ?? '').toString('base64')
  assert.ok(authority.length > 0)
  assert.ok(files.get('/etc/kubernetes/admin.conf')?.includes(authority))
  const info = steps.flatMap(step => step.objects).find(({ name }) => name === 'cluster-info')
  assert.ok(JSON.stringify(info?.object).includes(authority))
})

test('renderSteps() refuses with the faults of all credentials at once', async () => {
  const host = { '/etc/kubernetes/pki/sa.key': 'no key', '/etc/kubernetes/admin.conf': 'no kubeconfig' }
  await assert.rejects(rendered(host), (error: Error) => {
    assert.match(error.message, /sa\.key/)
    assert.match(error.message, /admin\.conf/)
    return true
  })
})

test('renderSteps() makes what the release has of a phase of which something is skipped', async () => {
  const config = configOf('v1.28.3', {})
  const given = { ...GIVEN, config }
  const steps = await renderSteps(INIT, given, ['kubeconfig/kubelet'], () => {})
  const names = steps.flatMap(({ files }) => files.map(({ path }) => path)).filter(path => path.endsWith('.conf'))
  assert.deepEqual(names.map(path => path.split('/').at(-1)).sort(), [
    'admin.conf',
    'controller-manager.conf',
    'scheduler.conf',
  ])
})
