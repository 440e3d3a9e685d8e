/** What a join writes against what the real kubeadm wrote for the same cluster and JoinConfiguration, byte for byte. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { loadJoinConfig } from '../../lib/kubeadm/config/config-file.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { bootstrapKubeconfig } from '../../lib/kubeadm/credentials/bootstrap-kubeconfig.ts'
import { kubeletFiles } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import { manifestFiles, staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import { joinedText } from '../../lib/phases/join/joined-config.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const GOLDEN = new URL('../golden/v1.36.2/join/', import.meta.url)
const CLUSTER = 'cluster.yaml'

for (const name of readdirSync(GOLDEN).filter(name => name !== CLUSTER)) {
  test(`a join writes what kubeadm writes: ${name}`, () => {
    const join = loadJoinConfig({ text: textOf(`${name}/config.yaml`), file: 'config.yaml' }, GOLDEN_FACTS).value
    const own = existsSync(new URL(`${name}/${CLUSTER}`, GOLDEN)) ? `${name}/${CLUSTER}` : CLUSTER
    const [cluster = '', kubelet = '', kubeProxy = ''] = textOf(own).split('---\n')
    const role = join.controlPlane === undefined ? 'worker' : 'control-plane'
    const text = joinedText({ config: join, role, facts: GOLDEN_FACTS }, { cluster, kubelet, kubeProxy })
    const loaded = loadInitConfig({ text, file: 'stored', stored: true }, GOLDEN_FACTS)
    const config: InitConfig = { ...loaded.config, joins: role }
    const server = `https://${join.discovery.bootstrapToken?.apiServerEndpoint}`
    const identity = { token: join.discovery.bootstrapToken?.token ?? '' }
    const pods = role === 'worker' ? [] : manifestFiles(staticPods(config, GOLDEN_FACTS))
    const made = [
      ...pods.map(({ path, content }) => [`manifests/${basename(path)}`, content]),
      ...kubeletFiles(config, GOLDEN_FACTS).files.map(({ path, content }) => [`kubelet/${basename(path)}`, content]),
      ['bootstrap-kubelet.conf', bootstrapKubeconfig(config, { server, ca: textOf(`${name}/ca.crt`), identity })],
    ] as const
    const folder = existsSync(new URL(`${name}/manifests/`, GOLDEN))
      ? readdirSync(new URL(`${name}/manifests/`, GOLDEN))
      : []
    assert.equal(pods.length, folder.length)
    for (const [file, content] of made) assert.equal(String(content), textOf(`${name}/${file}`), String(file))
  })
}

function textOf(path: string): string {
  return readFileSync(new URL(path, GOLDEN), 'utf8')
}
