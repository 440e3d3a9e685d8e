/** Every static Pod against what the real kubeadm made of the same configuration, byte for byte. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, test } from 'node:test'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { imageList } from '../../lib/kubeadm/images/image-list.ts'
import { manifestFiles, staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'
import { proxyEnvironment } from '../../lib/machine/host/read-facts.ts'

const GOLDEN = new URL('../golden/', import.meta.url)
const KINDS = ['init', 'manifests', 'versions']

/** The host of the golden runs (test/golden/README.md); a case may change it with directories.txt and env.txt. */
const HOST: HostFacts = {
  hostname: 'n1',
  directories: ['/etc/ca-certificates', '/usr/share/ca-certificates', '/usr/local/share/ca-certificates'],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}

interface Case {
  readonly name: string
  readonly folder: URL
  readonly release: string
}

const cases: readonly Case[] = list(GOLDEN, 'v1.').flatMap(release =>
  KINDS.flatMap(kind =>
    list(new URL(`${release}/${kind}/`, GOLDEN), '').map(name => ({
      name: `${release}/${kind}/${name}`,
      folder: new URL(`${release}/${kind}/${name}/`, GOLDEN),
      release,
    })),
  ),
)

describe('manifestFiles() writes what kubeadm writes', () => {
  for (const { name, folder, release } of cases) {
    test(name, () => {
      const facts = factsOf(folder)
      const files = manifestFiles(staticPods(configOf(folder, release, facts), facts))
      const made = Object.fromEntries(files.map(({ path, content }) => [basename(path), content]))
      assert.deepEqual(Object.keys(made).sort(), list(new URL('manifests/', folder), ''))
      for (const [file, content] of Object.entries(made)) {
        assert.equal(content, readFileSync(new URL(`manifests/${file}`, folder), 'utf8'), file)
      }
    })
  }
})

describe('imageList() prints what `kubeadm config images list` prints', () => {
  for (const { name, folder, release } of cases) {
    if (!existsSync(new URL('images.txt', folder))) continue
    test(name, () => {
      const images = imageList(configOf(folder, release, HOST))
      assert.equal(`${images.join('\n')}\n`, readFileSync(new URL('images.txt', folder), 'utf8'))
    })
  }
})

function configOf(folder: URL, release: string, facts: HostFacts): InitConfig {
  const text = readFileSync(new URL('config.yaml', folder), 'utf8')
  const flags = { 'kubeadm-version': release }
  return loadInitConfig({ text, file: 'config.yaml', flags, detectCriSocket: false }, facts).config
}

function factsOf(folder: URL): HostFacts {
  const environment = lines(new URL('env.txt', folder)).map(line => {
    const at = line.indexOf('=')
    return [line.slice(0, at), line.slice(at + 1)]
  })
  const directories = new URL('directories.txt', folder)
  return {
    ...HOST,
    proxyEnvironment: proxyEnvironment(Object.fromEntries(environment)),
    ...(existsSync(directories) && { directories: lines(directories) }),
  }
}

function list(folder: URL, prefix: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter(name => name.startsWith(prefix))
        .sort()
    : []
}

function lines(file: URL): string[] {
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line !== '')
    : []
}
