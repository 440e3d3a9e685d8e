/** Nodes of a machine that have another version than their cluster: which may be, and where their kubelets lie. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { NodeSpec } from '../../lib/kubeadm/node-list/node-spec.ts'
import { refuseVersions } from '../../lib/phases/init/given-nodes.ts'
import { kubeletsBeside, otherVersions } from '../../lib/phases/nodes/node-kubelets.ts'
import { initConfig } from '../pki.ts'

const worker = (version?: string): NodeSpec => ({
  role: 'worker',
  labels: {},
  ports: [],
  folders: [],
  ...(version !== undefined && { version }),
})

const SKEWS: readonly (readonly [cluster: string, node: string | undefined, refused?: RegExp])[] = [
  ['v1.36.2', undefined],
  ['v1.36.2', 'v1.36.2'],
  ['v1.36.2', 'v1.36.9'],
  ['v1.36.2', 'v1.33.0'],
  ['v1.36.2', 'v1.32.9', /nodes of v1\.32\.9 in a cluster of v1\.36\.2: .* 3 minor versions older/],
  ['v1.35.3', 'v1.36.0', /nodes of v1\.36\.0 in a cluster of v1\.35\.3: .* and no newer/],
  ['v1.20.2', 'v1.19.1'],
  ['v1.20.2', 'v1.18.1', /1 minor version older/],
]

for (const [cluster, version, refused] of SKEWS) {
  test(`a node of ${version} in a cluster of ${cluster}`, () => {
    const check = (): void => refuseVersions({ nodes: [worker(version)] }, initConfig(cluster))
    if (refused === undefined) check()
    else assert.throws(check, refused)
  })
}

test('control planes have the version of their cluster, and all that is wrong is said at once', () => {
  assert.throws(
    () => refuseVersions({ nodes: [worker('v1.30.0')], version: 'v1.35.3' }, initConfig('v1.36.2')),
    /--kubernetes-version v1\.35\.3.*\n.*nodes of v1\.30\.0/,
  )
})

test('only what differs is asked for, once', () => {
  const nodes = [worker(), worker('v1.36.2'), worker('v1.35.3'), worker('v1.35.3')]
  assert.deepEqual(otherVersions(nodes, 'v1.36.2'), ['v1.35.3'])
})

test('kubelets lie beside the folder of artifacts or in it, and say which they are', async t => {
  const top = mkdtempSync(join(tmpdir(), 'kubestep-'))
  t.after(() => rmSync(top, { recursive: true }))
  const artifacts = join(top, 'v1.36.2')
  const put = (folder: string, says: string): string => {
    const path = join(folder, 'bin/kubelet')
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(path, `#!/bin/sh\necho Kubernetes ${says}\n`, { mode: 0o755 })
    return path
  }
  const beside = put(join(top, 'v1.35.3'), 'v1.35.3')
  const inside = put(join(artifacts, 'v1.34.1'), 'v1.34.1')
  put(join(top, 'v1.33.0'), 'v1.33.1')
  assert.deepEqual(await kubeletsBeside(artifacts, ['v1.35.3', 'v1.34.1']), [beside, inside])
  await assert.rejects(kubeletsBeside(artifacts, ['v1.33.0', 'v1.36.1']), ({ message }: Error) => {
    assert.match(message, /nodes of Kubernetes v1\.33\.0: ".*" says that it is v1\.33\.1/)
    assert.match(message, new RegExp(`"${top}/v1\\.36\\.1/bin/kubelet" is missing: .* --output-dir ${top}/v1\\.36\\.1`))
    return true
  })
})
