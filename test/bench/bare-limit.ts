/**
 * The least that a cluster can take on this machine: etcd and kube-apiserver as processes on files that are ready, from
 * their start until /readyz.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { parse } from '../../lib/base/yaml.ts'
import { openApi } from '../../lib/cluster/api/api-client.ts'
import { readCredentials } from '../../lib/cluster/api/kubeconfig-credentials.ts'
import { imageOf } from '../../lib/kubeadm/images/image-list.ts'
import { $, startDetached, which } from '../../lib/machine/command.ts'
import { provideBinaries } from '../../lib/phases/run/binaries.ts'
import { importArchives } from '../../lib/supply/runtime/import-archives.ts'
import type { Ground, Reached } from './contestants.ts'
import { CONFIG, FOLDER, ROUND_LIMIT_MS, SOCKET, startRuntime, stopRuntime } from './ground.ts'

const BARE = `${FOLDER}/bare`
const TREE = `${BARE}/tree`
const PROGRAMS = ['etcd', 'kube-apiserver'] as const

/** Milliseconds until the API server is ready. Throws a KubestepError. */
export async function bareLimit(ground: Ground): Promise<Reached> {
  rmSync(BARE, { recursive: true, force: true })
  mkdirSync(BARE, { recursive: true })
  const init = join(ground.root, 'dist/init.mjs')
  await $`${process.execPath} ${init} --dry-run --config ${CONFIG} --profile ci --output-dir ${TREE}`
  await unpackPrograms(ground)
  const commands = PROGRAMS.map(bareCommand)
  const start = performance.now()
  const pids = commands.map((command, index) => startDetached(command, `${FOLDER}/logs/bare-${PROGRAMS[index]}.log`))
  try {
    const path = `${TREE}/etc/kubernetes/super-admin.conf`
    const api = openApi(readCredentials(readFileSync(path, 'utf8'), path, () => undefined))
    try {
      for (;;) {
        const answer = await api.send('GET', '/readyz').catch(() => undefined)
        if (answer?.status === 200) return { 'API ready': Math.round(performance.now() - start) }
        if (performance.now() - start > ROUND_LIMIT_MS)
          throw new KubestepError(`bench: cannot see a bare API server; see ${FOLDER}/logs`)
        await sleep(20)
      }
    } finally {
      api.close()
    }
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGKILL')
  }
}

/** Takes them out of their images. */
async function unpackPrograms({ config, call }: Ground): Promise<void> {
  const deadline = AbortSignal.timeout(ROUND_LIMIT_MS)
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, deadline)
  const runtime = await startRuntime(config, binaries.cniBinDir)
  const ctr = [which('ctr') ?? 'ctr', '--address', SOCKET, '--namespace', 'k8s.io']
  try {
    const wanted = binaries.images.there.filter(archive => /etcd|apiserver/.test(archive))
    await importArchives(ctr[0] ?? '', runtime.cri.socket, wanted)
    for (const program of PROGRAMS) {
      const mount = `${BARE}/image`
      mkdirSync(mount, { recursive: true })
      await $`${ctr} images mount ${imageOf(program, config)} ${mount}`
      await $`cp ${mount}/usr/local/bin/${program} ${BARE}/${program}`
      await $`${ctr} images unmount --rm ${mount}`
    }
  } finally {
    await stopRuntime(runtime)
  }
}

/** The command in a static Pod, with its files in the tree. */
function bareCommand(program: (typeof PROGRAMS)[number]): string[] {
  const pod = parse(readFileSync(`${TREE}/etc/kubernetes/manifests/${program}.yaml`, 'utf8')) as JsonObject
  const { containers } = pod.spec as unknown as { containers: readonly { command: readonly string[] }[] }
  const args = (containers[0]?.command ?? []).slice(1)
  return [
    `${BARE}/${program}`,
    ...args.map(arg =>
      arg.replace(/=\/etc\/kubernetes/, `=${TREE}/etc/kubernetes`).replace(/=\/var\/lib\/etcd/, `=${BARE}/data`),
    ),
  ]
}
