/** Waiting for gates: each is asked again shortly after it said no, until all hold or the time is up. */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import type { Gate, GateContext, Verdict } from './gates.ts'

/** How long between two looks: short, because every one of them is on the way to "ready". */
const INTERVAL_MS = 80

export interface GateResult {
  readonly name: string
  readonly passed: boolean
  /** Since the wait began. */
  readonly afterMs: number
  /** What the last look saw, when it did not pass. */
  readonly reason?: string
}

/** Who is told how a wait goes on. */
export interface GateListener {
  /** A gate was looked at; the reason why it does not hold yet. */
  readonly onLook?: (gate: Gate, reason: string) => void
  readonly onPass?: (result: GateResult) => void
}

/**
 * Waits for all gates; those that depend on another one begin when it holds. Gives a result for each, in order of
 * the list, whether it passed or the deadline came first. Never throws for a gate that does not pass.
 */
export async function waitForGates(
  gates: readonly Gate[],
  context: GateContext,
  deadline: AbortSignal,
  { onLook = () => {}, onPass = () => {} }: GateListener = {},
): Promise<GateResult[]> {
  const start = performance.now()
  const running = new Map<string, Promise<GateResult>>()
  const begin = (gate: Gate): Promise<GateResult> => {
    const known = running.get(gate.name)
    if (known !== undefined) return known
    const first = gate.after.map(name => gates.find(other => other.name === name)).filter(other => other !== undefined)
    const result = Promise.all(first.map(begin)).then(async before => {
      const broken = before.find(({ passed }) => !passed)
      if (broken !== undefined)
        return { name: gate.name, passed: false, afterMs: elapsed(start), reason: `waits for ${broken.name}` }
      const outcome = await waitFor(gate, context, deadline, start, onLook)
      if (outcome.passed) onPass(outcome)
      return outcome
    })
    running.set(gate.name, result)
    return result
  }
  return Promise.all(gates.filter(gate => gate.applies?.(context) ?? true).map(begin))
}

async function waitFor(
  gate: Gate,
  context: GateContext,
  deadline: AbortSignal,
  start: number,
  onLook: NonNullable<GateListener['onLook']>,
): Promise<GateResult> {
  let verdict: Verdict = 'not looked at yet'
  while (!deadline.aborted) {
    verdict = await gate.check(context).catch(reasonOf)
    if (verdict === true) break
    onLook(gate, verdict)
    await sleep(INTERVAL_MS)
  }
  await gate.cleanUp?.(context).catch(() => {})
  const base = { name: gate.name, afterMs: elapsed(start) }
  return verdict === true ? { ...base, passed: true } : { ...base, passed: false, reason: verdict }
}

function elapsed(start: number): number {
  return Math.round(performance.now() - start)
}
