import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { isObject, type JsonObject } from '../../lib/base/json.ts'
import { valueSince } from '../../lib/base/version.ts'
import { parseAll, stringify } from '../../lib/base/yaml.ts'
import { migrateConfig } from '../../lib/kubeadm/config/config-file.ts'
import { WRITTEN_API_VERSION } from '../../lib/kubeadm/config/kinds.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { printClusterConfiguration } from '../../lib/kubeadm/config/print-config.ts'
import { initDefaults, joinDefaults, resetDefaults, upgradeDefaults } from '../../lib/kubeadm/config/print-defaults.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

const GOLDEN = new URL('../golden/', import.meta.url)

// The machine that made the golden files was called vm.
const FACTS: HostFacts = {
  hostname: 'vm',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}

function golden(path: string): string {
  return readFileSync(new URL(path, GOLDEN), 'utf8')
}

function text(documents: readonly JsonObject[]): string {
  return documents.map(stringify).join('---\n')
}

describe('config print', () => {
  const components = ['KubeletConfiguration', 'KubeProxyConfiguration']
  const rows: readonly (readonly [file: string, documents: () => readonly JsonObject[]])[] = [
    ['init-defaults', () => initDefaults(FACTS, [])],
    ['init-defaults-components', () => initDefaults(FACTS, components)],
    ['join-defaults', () => [joinDefaults(FACTS)]],
    ['reset-defaults', () => [resetDefaults(FACTS)]],
    ['upgrade-defaults', () => [upgradeDefaults(FACTS)]],
  ]
  for (const [file, documents] of rows) {
    test(file, () => assert.equal(text(documents()), golden(`v1.36.2/config/${file}.yaml`)))
  }
})

describe('config migrate', () => {
  const migrated = (name: string): string =>
    migrateConfig({ text: golden(`v1.36.2/config/${name}.yaml`), file: name }, FACTS).text

  test('v1beta3 as kubeadm does, but for the random token', () => {
    const withoutToken = (yaml: string): string => yaml.replace(/token: \S+/, 'token: T')
    assert.equal(withoutToken(migrated('b3')), withoutToken(golden('v1.36.2/config/b3-migrated.yaml')))
  })

  test('v1beta4 keeps the timeout that kubeadm loses', () => {
    assert.match(migrated('b4'), /controlPlaneComponentHealthCheck: 4m0s/)
  })

  test('UpgradeConfiguration, which kubeadm cannot', () => {
    assert.equal(migrated('up'), golden('v1.36.2/config/upgrade-defaults.yaml'))
  })
})

/** The ClusterConfiguration that kubeadm stored, for every golden init of every release. */
describe('printClusterConfiguration() gives what upload-config stored', () => {
  const files = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter(name => name.endsWith('cluster-objects.yaml')).sort()) {
    test(file, () => {
      const { config } = loadInitConfig(
        {
          text: golden(file.replace('cluster-objects', 'config')),
          file: 'config.yaml',
          flags: { 'kubeadm-version': file.split(/[\\/]/)[0] ?? '' },
        },
        FACTS,
      )
      const apiVersion = valueSince(WRITTEN_API_VERSION, config.kubeadm)
      assert.ok(apiVersion)
      assert.equal(stringify(printClusterConfiguration(config, apiVersion)), storedConfiguration(golden(file)))
    })
  }
})

function storedConfiguration(objects: string): unknown {
  const stored = objects.split('\n---\n').find(object => object.includes('\n  name: kubeadm-config\n'))
  const [configMap] = parseAll(stored ?? '')
  return isObject(configMap) && isObject(configMap.data) ? configMap.data.ClusterConfiguration : undefined
}
