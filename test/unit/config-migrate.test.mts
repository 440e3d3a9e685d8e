import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseArguments } from '../../lib/cli/arguments.ts'
import { migrateConfig } from '../../lib/kubeadm/config/config-file.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'
import { config } from '../../scripts/config.mts'
import { outputOf } from '../output.ts'

const FACTS: HostFacts = {
  hostname: 'host',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.9' },
  loopbackAddress: {},
}

const KUBELET = `# what the kubelet is told
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods:   50   # few
evictionHard: {memory.available: "5%"}
# the end
`
const PROXY = `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
mode: ipvs   # \u542f\u7528ipvs
`
const OTHER = 'apiVersion: example.com/v1\nkind: Thing\nspec: {a: 1}  # kept\n'
const OLD = `# the node
apiVersion: kubeadm.k8s.io/v1beta3
kind: InitConfiguration
bootstrapTokens:
- token: abcdef.0123456789abcdef
localAPIEndpoint:
  # where others reach it
  advertiseAddress: 192.0.2.10  # the address
nodeRegistration:
  name: n1
  kubeletExtraArgs:
    # more words
    v: "4"  # loud
---
${KUBELET}---
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
kubernetesVersion: v1.36.2
imageRepository: "registry.example/k8s"
apiServer:
  timeoutForControlPlane: 5m0s  # slow disks
  extraArgs:
    audit-log-path: /var/log/a  # who did what
# last words
---
${OTHER}---
${PROXY}`

const migrated = (text: string): string => migrateConfig({ text, file: 'f.yaml' }, FACTS).text

describe('migrateConfig() loses nothing', () => {
  const text = migrated(OLD)

  for (const [name, document] of Object.entries({ KUBELET, PROXY, OTHER })) {
    test(`${name} follows byte for byte`, () => {
      assert.ok(`---\n${text}---\n`.includes(`---\n${document}---\n`), text)
    })
  }

  test('comments stay with their fields', () => {
    for (const line of [
      '# the node\napiVersion: kubeadm.k8s.io/v1beta4\n',
      '  # where others reach it\n  advertiseAddress: 192.0.2.10  # the address\n',
      '  # more words\n  - name: v  # loud\n    value: "4"\n',
      '  - name: audit-log-path  # who did what\n',
      'imageRepository: registry.example/k8s\n',
    ]) {
      assert.ok(text.includes(line), `${line}\n${text}`)
    }
    const comments = OLD.match(/(?<=^|\s)#.*$/gm) ?? []
    for (const comment of comments) assert.ok(text.includes(comment), `${comment} is gone:\n${text}`)
  })

  test('what is written is read again, and migrating it changes nothing', () => {
    assert.equal(migrated(text), text)
  })

  test('line ends stay', () => {
    const windows = migrated(OLD.replaceAll('\n', '\r\n'))
    assert.doesNotMatch(windows, /[^\r]\n/)
    assert.equal(windows.replaceAll('\r\n', '\n'), text)
  })

  test('a mark of the byte order, a first "---" and a missing last line end are nothing', () => {
    assert.equal(migrated(`\ufeff---\n${OLD}`.replace(/\n$/, '')), text)
    const first = migrated(`\ufeff${KUBELET}---\n${OLD.split('---\n')[2]}`)
    assert.ok(first.endsWith(`---\n${KUBELET}`), first)
  })

  test('a text with "#" in quotes is no comment', () => {
    const quoted = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: "a #b"  # c\n'
    assert.match(migrated(quoted), /^clusterName: 'a #b' {2}# c$|^clusterName: "a #b" {2}# c$/m)
  })
})

test('config migrate writes a file over itself, through a link, with its mode, or not at all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-'))
  const output = outputOf()
  const migrate = async (file: string): Promise<void> => {
    const argv = ['migrate', '--old-config', file, '--new-config', file]
    await config.run({ ...parseArguments(config.command, argv), name: 'config', output })
  }
  try {
    const [file, link] = [join(folder, 'kubeadm.yaml'), join(folder, 'link.yaml')]
    writeFileSync(file, OLD)
    chmodSync(file, 0o600)
    symlinkSync(file, link)
    await migrate(link)
    const text = readFileSync(file, 'utf8')
    assert.match(text, /v1beta4/)
    assert.ok(text.includes(KUBELET) && text.endsWith(PROXY))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    writeFileSync(file, `${OLD}---\nkind: [\n`)
    await assert.rejects(migrate(file))
    assert.equal(readFileSync(file, 'utf8'), `${OLD}---\nkind: [\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
