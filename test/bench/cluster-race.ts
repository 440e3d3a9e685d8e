/**
 * A cluster from nothing to ready, several rounds in turn, on the roads that users travel: kubestep's two profiles and
 * kubeadm with the same binaries, images and CNI configuration, watched from outside, beside the least that is possible.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KubestepError } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import type { Call } from '../../lib/cli/script.ts'
import { which } from '../../lib/machine/command.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { requireRoot } from '../../lib/phases/run/machine-session.ts'
import { CONTESTANTS, type Contestant, type Ground, type Reached } from './contestants.ts'
import { clear, FOLDER, writeConfig } from './ground.ts'
import { type Mirror, openMirror } from './mirror.ts'
import { type Marks, pathPicture } from './path-picture.ts'
import { picture } from './picture.ts'
import { median } from './race.ts'

export interface ClusterRow {
  readonly road: Contestant['road']
  readonly name: string
  /** Median milliseconds to each milestone. */
  readonly medians: Reached
  /** The same, divided by kubeadm's on the same road, where it took part. */
  readonly toKubeadm?: Reached
  /** CoreDNS's answer, the last milestone, divided by the bare limit. */
  readonly toLimit?: number
  readonly rounds: readonly Reached[]
}

/** Runs the races and writes `bench-cluster.json` and `.svg`, and `bench-path.svg`. Throws a KubestepError. */
export async function benchCluster(call: Call, root: string): Promise<void> {
  const { flags, output } = call
  const rounds = new Map<Contestant, Reached[]>()
  const paths: Marks[] = []
  await withGround(call, root, {}, async ground => {
    const racing = CONTESTANTS.filter(
      ({ name }) => ground.kubeadm !== undefined || !name.includes('kubeadm') || name.includes('kubestep'),
    )
    for (let round = 1; round <= Number(flags.rounds ?? 5); round++) {
      for (const contestant of racing) {
        const isShown = contestant.road === 'again' && contestant.name.endsWith('ci')
        const reached = await contestant.run({
          ...ground,
          ...(isShown && { onMarks: marks => void paths.push(marks) }),
        })
        rounds.set(contestant, [...(rounds.get(contestant) ?? []), reached])
        const told = Object.entries(reached).map(([what, value]) => `${what} ${value}`)
        output.say(`[bench] round ${round}, ${contestant.road}, ${contestant.name}: ${told.join(', ')}`)
      }
    }
  })
  const rows = summarise(rounds)
  const folder = resolve(flags['output-dir'] ?? '.')
  writeFiles('/', [
    { path: join(folder, 'bench-cluster.json'), mode: 0o644, content: `${JSON.stringify(rows, null, 2)}\n` },
    { path: join(folder, 'bench-cluster.svg'), mode: 0o644, content: picture(rows) },
    { path: join(folder, 'bench-path.svg'), mode: 0o644, content: pathPicture(mediansOf(paths)) },
  ])
  output.result(
    `${JSON.stringify(
      rows.map(({ rounds: _, ...row }) => row),
      null,
      2,
    )}\n`,
  )
}

/** Does `work` on what all stand on, and takes that away; `kubelet` are further fields of its configuration. Throws a KubestepError. */
export async function withGround(
  call: Call,
  root: string,
  kubelet: JsonObject,
  work: (ground: Ground) => Promise<void>,
): Promise<void> {
  requireRoot('bench')
  const { flags } = call
  if (flags.artifacts === undefined) {
    throw new KubestepError(
      'bench: cannot race: binaries and images have to be in place; name their folder with --artifacts',
    )
  }
  const artifacts = resolve(flags.artifacts)
  const kubeadm = [join(artifacts, 'bin/kubeadm'), which('kubeadm')].find(
    path => path !== undefined && existsSync(path),
  )
  let mirror: Mirror | undefined
  try {
    const config = writeConfig(kubelet)
    mkdirSync(`${FOLDER}/logs`, { recursive: true })
    mirror = await openMirror(artifacts, config.cluster.kubernetesVersion, `${FOLDER}/mirror`)
    await work({ config, call, root, artifacts, mirror, ...(kubeadm !== undefined && { kubeadm }) })
  } finally {
    mirror?.close()
    clear()
  }
}

/** The milestone that ends a race. */
const LAST = 'CoreDNS answers'

function summarise(rounds: ReadonlyMap<Contestant, readonly Reached[]>): ClusterRow[] {
  const rows = [...rounds].map(([{ name, road }, all]) => ({ name, road, medians: mediansOf(all), rounds: all }))
  const limit = rows.find(({ road }) => road === 'limit')?.medians['API ready']
  return rows.map(row => {
    // kubeadm has no "again": it unpacks every time.
    const road = row.road === 'again' ? 'first' : row.road
    const base = rows.find(other => other.road === road && /(^|, )kubeadm$/.test(other.name))?.medians
    const last = row.medians[LAST]
    return {
      ...row,
      ...(base !== undefined && base !== row.medians && { toKubeadm: ratios(row.medians, base) }),
      ...(limit !== undefined && last !== undefined && { toLimit: ratio(last, limit) }),
    }
  })
}

function mediansOf(all: readonly Reached[]): Reached {
  const milestones = Object.keys(all[0] ?? {})
  return Object.fromEntries(milestones.map(what => [what, median(all.map(reached => reached[what] ?? Number.NaN))]))
}

function ratios(medians: Reached, base: Reached): Reached {
  const shared = Object.entries(medians).filter(([what]) => base[what] !== undefined)
  return Object.fromEntries(shared.map(([what, value]) => [what, ratio(value, base[what] ?? 1)]))
}

function ratio(value: number, base: number): number {
  return Number((value / base).toFixed(2))
}
