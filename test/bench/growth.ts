/** What more images, Pods and objects take, with kubestep and with kubeadm, as a table. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import { KUBERNETES } from '../../lib/base/paths.ts'
import type { Call } from '../../lib/cli/script.ts'
import { openAdminApi } from '../../lib/cluster/api/admin-api.ts'
import type { Api } from '../../lib/cluster/api/api-client.ts'
import { imageOf } from '../../lib/kubeadm/images/image-list.ts'
import { readFile, writeFiles } from '../../lib/machine/files.ts'
import { sha256, tarOf } from '../archives.ts'
import { withGround } from './cluster-race.ts'
import { CACHE, type Ground, kubeadmFromArchives, privateArgs, type Reached, runInit } from './contestants.ts'
import { FOLDER, ROUND_LIMIT_MS } from './ground.ts'

const IMAGES: readonly number[] = [0, 10, 50]
const PODS: readonly number[] = [1, 10, 110]
const OBJECTS: readonly number[] = [1_000, 10_000]

/** Of a user's image. */
const IMAGE_BYTES = 8_000_000

/** Room for 110 beside those of the cluster; the kubelet's default is 110 in all. */
const KUBELET = { maxPods: 250 }

type Grower = (ground: Ground, work?: () => Promise<Reached>) => Promise<Reached>

const GROWERS: Readonly<Record<string, Grower>> = {
  kubestep: (ground, work) => {
    rmSync(CACHE, { recursive: true, force: true })
    return runInit(ground, ['--artifacts', ground.artifacts, ...privateArgs('ci')], work)
  },
  kubeadm: kubeadmFromArchives,
}

/** Measures, and writes `bench-growth.json`. Throws a KubestepError. */
export async function benchGrowth(call: Call, root: string): Promise<void> {
  const { flags, output } = call
  const table: Record<string, Record<string, Reached>> = {}
  await withGround(call, root, KUBELET, async ground => {
    const growers = Object.entries(GROWERS).filter(([name]) => name !== 'kubeadm' || ground.kubeadm !== undefined)
    const note = (row: string, name: string, reached: Reached): void => {
      table[row] = { ...table[row], [name]: reached }
      output.say(`[bench] ${row}, ${name}: ${JSON.stringify(reached)}`)
    }
    for (const count of IMAGES) {
      const artifacts = withUserImages(ground.artifacts, count)
      const grown = { ...ground, artifacts, call: { ...call, flags: { ...flags, artifacts } } }
      for (const [name, grow] of growers) note(`${count} user images`, name, await grow(grown))
    }
    for (const [name, grow] of growers) {
      const inside = await grow(ground, () => fill(ground, (row, ms) => note(row, name, { ms })))
      note('reset with all of that', name, { ms: inside.reset ?? Number.NaN })
    }
  })
  const path = join(resolve(flags['output-dir'] ?? '.'), 'bench-growth.json')
  writeFiles('/', [{ path, mode: 0o644, content: `${JSON.stringify(table, null, 2)}\n` }])
  output.result(`${JSON.stringify(table, null, 2)}\n`)
}

/** The folder again, by links, with further archives. */
function withUserImages(artifacts: string, count: number): string {
  const folder = `${FOLDER}/artifacts-${count}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'images'), { recursive: true })
  const links = ['bin', 'cni', ...readdirSync(join(artifacts, 'images')).map(name => join('images', name))]
  for (const name of links) symlinkSync(join(artifacts, name), join(folder, name))
  for (let index = 0; index < count; index++) {
    const layer = tarOf({ data: randomBytes(IMAGE_BYTES) })
    const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] }
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: ['/data'] }, rootfs })
    const list = [{ Config: 'config.json', RepoTags: [`bench.test/user:${index}`], Layers: ['layer.tar'] }]
    const archive = tarOf({ 'config.json': config, 'layer.tar': layer, 'manifest.json': JSON.stringify(list) })
    writeFileSync(join(folder, 'images', `user-${index}.tar`), archive)
  }
  return folder
}

/** Pods and objects into a cluster, told of with the milliseconds that they took. */
async function fill({ config }: Ground, tell: (row: string, ms: number) => void): Promise<Reached> {
  const api = openAdminApi(config, path => readFile('/', path), KUBERNETES.folder)
  const timed = async (row: string, work: () => Promise<void>): Promise<void> => {
    const start = performance.now()
    await work()
    tell(row, Math.round(performance.now() - start))
  }
  const image = imageOf('pause', config)
  try {
    for (const count of PODS) await podsRound(api, image, count, work => timed(`${count} Pods to Ready`, work))
    let made = 0
    for (const count of OBJECTS) {
      await timed(`${count - made} objects more`, () => makeObjects(api, made, count))
      made = count
      await podsRound(api, image, 1, work => timed(`1 Pod to Ready beside ${count} objects`, work))
    }
    return {}
  } finally {
    api.close()
  }
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const NAME = 'grown'

/** A Deployment until all of it is Ready, which is timed, and until it has gone again. */
async function podsRound(
  api: Api,
  image: string,
  replicas: number,
  timed: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const labels = { app: NAME }
  const containers = [{ name: 'pause', image, imagePullPolicy: 'IfNotPresent' }]
  const spec = { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers }
  await timed(async () => {
    await must(api, 'POST', DEPLOYMENTS, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    })
    await until(`${replicas} Pods`, async () => {
      const { status } = (await api.get(`${DEPLOYMENTS}/${NAME}`)) ?? {}
      return (status as JsonObject | undefined)?.readyReplicas === replicas
    })
  })
  await must(api, 'DELETE', `${DEPLOYMENTS}/${NAME}?propagationPolicy=Foreground`)
  await until('the end of Pods', async () => {
    const pods = await api.get(`/api/v1/namespaces/default/pods?labelSelector=app%3D${NAME}`)
    const isGone = (await api.get(`${DEPLOYMENTS}/${NAME}`)) === undefined
    return isGone && Array.isArray(pods?.items) && pods.items.length === 0
  })
}

const AT_ONCE = 16

async function makeObjects(api: Api, from: number, to: number): Promise<void> {
  let next = from
  const worker = async (): Promise<void> => {
    while (next < to) {
      const name = `grown-${next++}`
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(1000) } }
      await must(api, 'POST', '/api/v1/namespaces/default/configmaps', object)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function must(api: Api, method: string, path: string, body?: JsonObject): Promise<void> {
  const { status, body: answer } = await api.send(method, path, body)
  if (status >= 300) throw new KubestepError(`bench: cannot ${method} ${path}: status ${status}: ${answer}`)
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 2 * ROUND_LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new KubestepError(`bench: cannot see ${what}`)
    await sleep(50)
  }
}
