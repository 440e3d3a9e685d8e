/** Commands run in turn, several rounds, each as a cold process; medians and ratios. */
import { mkdirSync, rmSync } from 'node:fs'
import { KubestepError } from '../../lib/base/errors.ts'
import { $ } from '../../lib/machine/command.ts'

export interface Contestant {
  readonly name: string
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** A folder that is emptied before each run. */
  readonly clean?: string
}

export interface RaceRow {
  readonly name: string
  readonly medianMs: number
  readonly fastestMs: number
  readonly slowestMs: number
  /** Median divided by that of the first contestant. */
  readonly toFirst: number
}

/** Runs everybody once per round, so that whatever else the machine does falls on all alike. Throws a KubestepError when a command fails. */
export async function race(contestants: readonly Contestant[], rounds: number): Promise<RaceRow[]> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) times.get(contestant.name)?.push(await measure(contestant))
  }
  const first = median(times.get(contestants[0]?.name ?? '') ?? [])
  return contestants.map(({ name }) => {
    const taken = times.get(name) ?? []
    const medianMs = median(taken)
    return {
      name,
      medianMs,
      fastestMs: Math.min(...taken),
      slowestMs: Math.max(...taken),
      toFirst: Number((medianMs / first).toFixed(2)),
    }
  })
}

async function measure({ name, command, environment, clean }: Contestant): Promise<number> {
  if (clean !== undefined) {
    rmSync(clean, { recursive: true, force: true })
    mkdirSync(clean)
  }
  const start = performance.now()
  const { exitCode, stderr } = await $({ nothrow: true, ...(environment && { env: environment }) })`${command}`
  const taken = Math.round(performance.now() - start)
  if (exitCode !== 0)
    throw new KubestepError(`bench: cannot run ${name}: status ${exitCode}: ${stderr.trim().split('\n').at(-1)}`)
  return taken
}

/** The middle value; of an even number the lower one. NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}
