/** What a cluster has stored renders as an init of the next release does: through every minor version there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isObject, type JsonObject } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { NEWEST_MINOR, OLDEST_MINOR } from '../../lib/base/version.ts'
import { newestPatch } from '../../lib/kubeadm/config/kubernetes-version.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { kubeletFiles } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import { manifestFiles, staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import { isSigned } from '../../lib/kubeadm/objects/config-map.ts'
import { kubeProxyObjects } from '../../lib/kubeadm/objects/kube-proxy.ts'
import { kubeadmConfigObjects, kubeletConfigObjects } from '../../lib/kubeadm/objects/upload-config-objects.ts'
import { mergedFile } from '../../lib/kubeadm/upgrade/merged-file.ts'
import { type StoredTexts, storedInitConfig } from '../../lib/kubeadm/upgrade/stored-cluster.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

const SOCKET = 'unix:///run/containerd/containerd.sock'
const facts: HostFacts = {
  hostname: 'n1',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [SOCKET],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}
const node = { name: 'n1', criSocket: SOCKET, endpoint: { advertiseAddress: '10.0.0.5', bindPort: 6443 } }

function initOf(version: string): InitConfig {
  return loadInitConfig({ flags: { 'kubernetes-version': version, 'cri-socket': SOCKET } }, facts).config
}

function storedBy(config: InitConfig): StoredTexts {
  const [kubeadm, kubelet, kubeProxy] = [
    kubeadmConfigObjects(config),
    kubeletConfigObjects(config, { facts, kubeletStarted: true }),
    kubeProxyObjects(config, facts),
  ].map(objects => objects.find(({ kind }) => kind === 'ConfigMap') ?? assert.fail('no ConfigMap'))
  const text = (map: JsonObject | undefined, key: string): string =>
    isObject(map?.data) ? String(map.data[key]) : assert.fail(key)
  const isWritten = (map: JsonObject | undefined): boolean => map !== undefined && !isSigned(map)
  return {
    cluster: text(kubeadm, 'ClusterConfiguration'),
    kubelet: text(kubelet, 'kubelet'),
    kubeProxy: text(kubeProxy, 'config.conf'),
    userSupplied: { kubelet: isWritten(kubelet), kubeProxy: isWritten(kubeProxy) },
  }
}

const filesOf = (config: InitConfig): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...manifestFiles(staticPods(config, facts)), ...kubeletFiles(config, facts).files].map(({ path, content }) => [
      path,
      content.toString(),
    ]),
  )

for (let minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++) {
  const from = newestPatch(1, minor) ?? assert.fail()
  const to = newestPatch(1, minor + 1) ?? from
  test(`from ${from} to ${to}`, () => {
    const old = initOf(from)
    const stored = storedBy(old)
    const [base, ours] = [from, to].map(version => filesOf(storedInitConfig(stored, node, version, facts)))
    assert.deepEqual(base, filesOf(old))
    assert.deepEqual(ours, filesOf(initOf(to)))
    // Before 1.19 nothing told whether somebody had written a component's configuration.
    assert.deepEqual(stored.userSupplied, { kubelet: minor < 19, kubeProxy: minor < 19 })
    for (const [path, text] of Object.entries(ours ?? {})) {
      const theirs: string | undefined = base?.[path]
      if (theirs !== undefined) assert.deepEqual(mergedFile({ path, base: theirs, theirs, ours: text }).edits, [])
    }
  })
}
