/** Clusters of several nodes on this machine beside one of a single node, and a machine that joins, beside kubeadm's join. */
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../../lib/base/errors.ts'
import type { Call } from '../../lib/cli/script.ts'
import { writeFiles } from '../../lib/machine/files.ts'
import { localNodes } from '../../lib/machine/local-node/local-node.ts'
import { withGround } from './cluster-race.ts'
import { CACHE, type Ground, privateArgs, type Reached, runInit } from './contestants.ts'
import { idleMemory } from './idle-memory.ts'
import { raceJoins } from './join-race.ts'
import { median } from './race.ts'

interface Shape {
  readonly name: string
  readonly args: readonly string[]
  /** Whether machines join it, which needs a further node there. */
  readonly isJoined?: true
}

export interface NodesRow {
  readonly name: string
  /** Medians. */
  readonly medians: Reached
  /** Time until the init ends, divided by that of a cluster of one in the same run. */
  readonly toOne?: number
  readonly rounds: readonly Reached[]
}

const GREEN = 'command ends'

/** How long a cluster is left alone before its memory is looked at. */
const SETTLE_MS = 20_000

/** `counts` as in 1,3,10; three control planes beside them. Writes `bench-nodes.json`. Throws a KubestepError. */
export async function benchNodes(call: Call, root: string, counts: string): Promise<void> {
  const { flags, output } = call
  const shapes = shapesOf(counts)
  const rounds = new Map<string, Reached[]>()
  const note = (name: string, reached: Reached): void => {
    rounds.set(name, [...(rounds.get(name) ?? []), reached])
    output.say(`[bench] ${name}: ${JSON.stringify(reached)}`)
  }
  await withGround(call, root, {}, async ground => {
    const args = ['--artifacts', ground.artifacts, ...privateArgs('ci')]
    rmSync(CACHE, { recursive: true, force: true })
    // All that follow begin with the images that it keeps.
    await runInit(ground, args)
    for (let round = 1; round <= Number(flags.rounds ?? 3); round++) {
      for (const { name, args: more, isJoined } of shapes) {
        const inside = (): Promise<Reached> => lookInside(ground, round === 1 && isJoined === true, note)
        note(name, await runInit(ground, [...args, ...more], inside))
      }
    }
  })
  const rows = summarise(rounds, shapes[0]?.name ?? '')
  const path = join(resolve(flags['output-dir'] ?? '.'), 'bench-nodes.json')
  writeFiles('/', [{ path, mode: 0o644, content: `${JSON.stringify(rows, null, 2)}\n` }])
  const told = rows.map(({ rounds: _, ...row }) => row)
  output.result(`${JSON.stringify(told, null, 2)}\n`)
}

/** The first one is what the others are compared with. */
function shapesOf(counts: string): Shape[] {
  const numbers = counts.split(',').map(Number)
  if (numbers.some(count => !Number.isInteger(count) || count < 1))
    throw new UsageError(`bench: cannot take --nodes ${counts}: write numbers of nodes, as in --nodes 1,3,10`)
  const further = [...new Set(numbers)].filter(count => count > 1)
  return [
    { name: '1 node', args: [] },
    ...further.map(
      (count, index): Shape => ({
        name: `${count} nodes`,
        args: ['--nodes', String(count)],
        ...(index === 0 && { isJoined: true }),
      }),
    ),
    { name: '3 control planes', args: ['--control-planes', '3'] },
  ]
}

async function lookInside(
  ground: Ground,
  isJoined: boolean,
  note: (name: string, reached: Reached) => void,
): Promise<Reached> {
  const workers = localNodes().filter(({ role }) => role === 'worker')
  if (workers.length === 0) return {}
  await sleep(SETTLE_MS)
  const memory = idleMemory(workers)
  if (isJoined) await raceJoins(ground, Number(ground.call.flags.rounds ?? 3), note)
  return memory
}

function summarise(rounds: ReadonlyMap<string, readonly Reached[]>, one: string): NodesRow[] {
  const rows = [...rounds].map(([name, all]) => ({ name, medians: mediansOf(all), rounds: all }))
  const base = rows.find(({ name }) => name === one)?.medians[GREEN]
  return rows.map(row => {
    const green = row.medians[GREEN]
    const isCompared = base !== undefined && green !== undefined && row.name !== one
    return { ...row, ...(isCompared && { toOne: Number((green / base).toFixed(2)) }) }
  })
}

function mediansOf(all: readonly Reached[]): Reached {
  const names = Object.keys(all[0] ?? {})
  return Object.fromEntries(names.map(name => [name, median(all.map(reached => reached[name] ?? Number.NaN))]))
}
