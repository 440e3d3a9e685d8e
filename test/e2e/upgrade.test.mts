/**
 * An upgrade to the next patch release, killed and taken back, killed and gone on with, while a workload answers. The next
 * release is the same build under its number: see next-patch.sh.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { init, leavesNothing, succeeded } from './attempt.ts'
import { someOf } from './extent.ts'
import { waitFor } from './moments.ts'
import { nextPatch } from './next-patch.ts'
import { bundle, run, start } from './programs.ts'
import { temporaryFolder } from './temporary.ts'
import { workload } from './workload.ts'

/** What an upgrade says when it is killed, and when it is killed again; then it is taken back, or comes to its end. */
const KILLED: readonly (readonly [said: readonly string[], then: 'rollback' | 'apply'])[] = [
  [['Replacing the static Pod of kube-controller-manager'], 'rollback'],
  [['Replacing the static Pod of kube-apiserver'], 'rollback'],
  [['Component "kube-scheduler" upgraded'], 'rollback'],
  [['The kubelet configuration for this node was successfully upgraded'], 'rollback'],
  [['Replacing the static Pod of kube-apiserver', 'Creating a ConfigMap "kubelet-config'], 'apply'],
]

/** Files of the node that an upgrade writes. */
const FILES: readonly string[] = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(
    name => `/etc/kubernetes/manifests/${name}.yaml`,
  ),
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
]

/** Asks a URL again and again; `stop` gives how often it answered, and what came instead. */
function askAlways(url: string): { readonly stop: () => Promise<{ answers: number; failures: readonly string[] }> } {
  const found = { answers: 0, failures: [] as string[] }
  let over = false
  const asking = (async () => {
    while (!over) {
      try {
        const { status } = await fetch(url, { signal: AbortSignal.timeout(5000) })
        if (status === 200) found.answers++
        else found.failures.push(`status ${status}`)
      } catch (error) {
        found.failures.push(String(error))
      }
      await sleep(50)
    }
  })()
  return {
    stop: async () => {
      over = true
      await asking
      return found
    },
  }
}

leavesNothing(
  'an upgrade that is killed is gone on with, or taken back, and a workload answers all the while',
  async target => {
    const next = await nextPatch(target)
    const kubectl = async (...args: readonly string[]): Promise<string> => {
      const ended = await run([target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf', ...args])
      succeeded(ended)
      return ended.stdout
    }
    const versions = async (): Promise<readonly string[]> => [
      JSON.parse(await kubectl('version', '-o', 'json')).serverVersion.gitVersion,
      await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'),
      /kubernetesVersion: (\S+)/.exec(
        await kubectl('-n', 'kube-system', 'get', 'configmap/kubeadm-config', '-o', 'yaml'),
      )?.[1] ?? '',
      /:([^:]+)$/.exec(
        await kubectl(
          '-n',
          'kube-system',
          'get',
          'daemonset/kube-proxy',
          '-o',
          'jsonpath={.spec.template.spec.containers[0].image}',
        ),
      )?.[1] ?? '',
    ]
    const files = (): readonly string[] => FILES.map(path => readFileSync(path, 'utf8'))
    const upgrade = bundle('upgrade', 'apply', next.version, '--artifacts', next.artifacts)

    succeeded(await run(init(target)))
    const list = join(temporaryFolder(), 'workload.json')
    writeFileSync(list, JSON.stringify(workload()))
    await kubectl('apply', '-f', list)
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    const before = { files: files(), versions: await versions() }
    assert.deepEqual(new Set(before.versions), new Set([target.version]))
    const diff = await run(bundle('upgrade', 'diff', next.version))
    succeeded(diff)
    assert.ok(diff.stdout.includes(`kube-apiserver:${next.version}`))
    assert.deepEqual(files(), before.files)

    // At its own address: a kubelet of 1.20 that is started again calls its Pods unready for a moment.
    const address = await kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].status.podIP}')
    const asking = askAlways(`http://${address}:8080/`)
    try {
      for (const [moments, then] of someOf(KILLED, 2)) {
        for (const said of moments) {
          const running = start(upgrade)
          await waitFor({ about: said, reached: () => running.said().includes(said) }, running)
          process.kill(running.pid, 'SIGKILL')
          await running.ended
        }
        if (then === 'rollback') {
          succeeded(await run(bundle('upgrade', 'rollback')))
          assert.deepEqual({ files: files(), versions: await versions() }, before)
        } else {
          const again = await run(upgrade)
          succeeded(again)
          assert.match(again.stdout, /Going on with the upgrade/)
          assert.deepEqual(new Set(await versions()), new Set([next.version]))
        }
      }
    } finally {
      await asking.stop()
    }
    const { answers, failures } = await asking.stop()
    assert.ok(answers > 0)
    assert.deepEqual(failures, [])
    rmSync(next.artifacts, { recursive: true })
  },
)
