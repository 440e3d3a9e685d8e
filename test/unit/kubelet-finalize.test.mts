import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '../../lib/base/yaml.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import type { FileEntry } from '../../lib/machine/files.ts'
import { finalFiles } from '../../lib/phases/kubelet-finalize.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const PATH = '/etc/kubernetes/kubelet.conf'
const LINK = '/var/lib/kubelet/pki/kubelet-client-current.pem'
const NOW = new Date('2026-01-02T03:04:05Z')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const conf = (user: string): string => `apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: https://192.0.2.7:6443}}]
users: [{name: u, user: {${user}}}]
`
const EMBEDDED = conf(`client-certificate-data: ${base64('CERT\n')}, client-key-data: ${base64('KEY\n')}`)
const NAMED = conf('client-certificate: /srv/mine.crt, client-key: /srv/mine.key')

const entry = (path: string, content = path): FileEntry => ({ path, mode: 0o600, content })
function ordered(rendered: readonly FileEntry[], there?: string, skipPhases: readonly string[] = []) {
  const { config } = loadInitConfig({ flags: { 'skip-phases': skipPhases.join(',') } }, GOLDEN_FACTS)
  return finalFiles(config, rendered, path => (path === PATH ? there : undefined), NOW)
}

function names(files: readonly FileEntry[]): string[] {
  return files.map(({ path }) => path.split('/').at(-1) ?? '')
}

for (const [what, rendered, there, changed] of [
  ['that was made', [entry(PATH, EMBEDDED)], undefined, []],
  ['that was there', [], EMBEDDED, [PATH]],
  ['that was there and is taken over', [entry(PATH, EMBEDDED)], EMBEDDED, [PATH]],
] as const) {
  test(`finalFiles() gives a kubelet.conf ${what} its final form`, () => {
    const files = ordered(rendered, there)
    const [pem, final] = files.files
    assert.deepEqual(names(files.files), ['kubelet-client-2026-01-02-03-04-05.pem', 'kubelet.conf'])
    assert.equal(pem?.content, 'CERT\nKEY\n')
    const { users } = parse(String(final?.content)) as { users: readonly { user: unknown }[] }
    assert.deepEqual(users[0]?.user, { 'client-certificate': LINK, 'client-key': LINK })
    assert.deepEqual(files.link, { path: LINK, target: 'kubelet-client-2026-01-02-03-04-05.pem' })
    assert.deepEqual(files.changed, changed)
  })
}

for (const [what, rendered, there, skipped] of [
  ['that names files of its own', [], NAMED, []],
  ['when rotation is skipped', [entry(PATH, EMBEDDED)], undefined, ['kubelet-finalize']],
  ['that is nowhere', [], undefined, []],
] as const) {
  test(`finalFiles() leaves a kubelet.conf alone ${what}`, () => {
    const files = ordered(rendered, there, skipped)
    assert.deepEqual(files.files, rendered)
    assert.equal(files.link, undefined)
    assert.deepEqual(files.changed, [])
  })
}
