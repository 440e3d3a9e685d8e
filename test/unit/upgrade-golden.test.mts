/** What real kubeadm says and writes of an upgrade, and what is made here for the same cluster. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isObject, type JsonObject } from '../../lib/base/json.ts'
import { formatVersion, parseVersion } from '../../lib/base/version.ts'
import { isSigned } from '../../lib/kubeadm/objects/config-map.ts'
import { availableUpgrade, candidates, planObject, planText, type UpgradePlan } from '../../lib/kubeadm/upgrade/plan.ts'
import { storedInitConfig } from '../../lib/kubeadm/upgrade/stored-cluster.ts'
import { unifiedDiff } from '../../lib/phases/prepare/diff.ts'
import { type PlannedFile, plannedFiles } from '../../lib/phases/upgrade/planned-files.ts'
import { CONFIG_VERSIONS } from '../../lib/phases/upgrade/show-plan.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const GOLDEN = fileURLToPath(new URL('../golden/v1.36.2/upgrade', import.meta.url))

/** Of each case, what its files do not say: who runs it, and what runs there. */
const CASES = {
  'from-v1.35.3': {
    from: 'v1.35.3',
    node: {
      name: 'upgrade1',
      criSocket: 'unix:///run/kubestep/containerd.sock',
      endpoint: { advertiseAddress: '192.0.2.40', bindPort: 6443 },
    },
    coredns: 'v1.13.1',
    etcd: '3.6.6-0',
  },
} as const

for (const [name, { from, node, coredns, etcd }] of Object.entries(CASES)) {
  const read = (path: string): string => readFileSync(join(GOLDEN, name, path), 'utf8')
  const facts = { ...GOLDEN_FACTS, hostname: node.name }
  const map = (path: string): JsonObject => JSON.parse(read(`present/${path}.json`)) as JsonObject
  const data = (path: string, key: string): string => {
    const { data: found } = map(path)
    return isObject(found) ? String(found[key]) : assert.fail(path)
  }
  const stored = {
    cluster: data('kubeadm-config', 'ClusterConfiguration'),
    kubelet: data('kubelet-config', 'kubelet'),
    kubeProxy: data('kube-proxy', 'config.conf'),
    userSupplied: { kubelet: !isSigned(map('kubelet-config')), kubeProxy: !isSigned(map('kube-proxy')) },
  }
  const version = (text: string): NonNullable<ReturnType<typeof parseVersion>> =>
    parseVersion(text) ?? assert.fail(text)
  const configOf = (text: string): ReturnType<typeof storedInitConfig> => storedInitConfig(stored, node, text, facts)
  const present = configOf(from)
  const files = (): readonly PlannedFile[] =>
    plannedFiles({
      from: present,
      to: configOf('v1.36.2'),
      kubeletFrom: present,
      addonsFrom: present,
      facts,
      read: path => {
        const found = /^(?:\/etc\/kubernetes|\/var\/lib)\/((?:manifests|kubelet)\/.+)$/.exec(path)?.[1]
        return found === undefined ? undefined : read(`present/${found}`)
      },
      apply: (_target, object) => object,
      etcdMembers: [],
      isControlPlane: true,
    })
  const file = (path: string): PlannedFile =>
    files().find(one => one.path.endsWith(`/${path}`)) ?? assert.fail(`no ${path}`)

  describe(`upgrade ${name}`, () => {
    const plan: UpgradePlan = {
      availableUpgrades: candidates(version(from), version('v1.36.2')).map(candidate =>
        availableUpgrade(
          {
            kubelets: { [from]: [node.name] },
            apiservers: { [from]: [node.name] },
            controllerManagers: { [from]: [node.name] },
            schedulers: { [from]: [node.name] },
            etcds: { [etcd]: [node.name] },
            coredns,
          },
          version(formatVersion(version(from))),
          candidate,
          true,
        ),
      ),
      configVersions: CONFIG_VERSIONS,
    }

    test('plan, for people and for programs', () => {
      assert.equal(`${JSON.stringify(planObject(plan), null, 4)}\n`, read('plan.json'))
      // Before it stands what kubeadm does on the way.
      const text = read('plan.txt')
      assert.equal(planText(plan, 'kubeadm upgrade apply'), text.slice(text.indexOf('Components that must')))
    })

    test('nobody has changed anything by hand', () => {
      assert.deepEqual(
        files().flatMap(({ edits }) => edits),
        [],
      )
    })

    for (const written of readdirSync(join(GOLDEN, name, 'written'))) {
      test(`apply --dry-run: ${written}`, () => {
        // kubeadm looks for the socket in its empty folder, and takes the default one.
        const socket = /^containerRuntimeEndpoint: .*$/m
        const ours = file(written).content
        assert.equal(ours, read(`written/${written}`).replace(socket, socket.exec(ours)?.[0] ?? ''))
      })
    }

    test('diff: the three manifests that kubeadm shows', () => {
      const text = read('diff.txt')
      const lines = text
        .slice(text.indexOf('---'))
        .split(/^(?=--- )/m)
        .map(part => part.trimEnd().split('\n'))
      for (const [head = '', , ...rest] of lines) {
        const { path, before, content } = file(head.slice(head.lastIndexOf('/') + 1))
        assert.deepEqual(unifiedDiff(path, before ?? null, content).slice(2), rest)
      }
      assert.equal(lines.length, 3)
    })
  })
}
