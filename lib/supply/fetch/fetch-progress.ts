/** What happens while components come, as events, and as text for people: a bar on a terminal, plain lines elsewhere. */

import type { Json } from '../../base/json.ts'

export type Progress =
  | { readonly kind: 'start'; readonly name: string; readonly host: string }
  /** `total` in bytes, once it is known. */
  | { readonly kind: 'bytes'; readonly name: string; readonly received: number; readonly total?: number }
  | { readonly kind: 'retry'; readonly name: string; readonly reason: string; readonly pauseMs: number }
  | { readonly kind: 'done'; readonly name: string; readonly bytes: number; readonly proof?: readonly Proof[] }
  /** It was there already. */
  | { readonly kind: 'cached'; readonly name: string }
  /** Something to know that stops nothing. */
  | { readonly kind: 'notice'; readonly text: string }

/** What shows that a file is the right one. */
export type Proof = 'lock' | 'checksum' | 'signature'

const PROOFS: Readonly<Record<Proof, string>> = {
  lock: 'SHA-256 as locked',
  checksum: 'SHA-256 as published',
  signature: 'signature verified',
}

export type OnProgress = (progress: Progress) => void

export interface Terminal {
  readonly write: (text: string) => void
  readonly columns: number
}

export interface Reporter {
  readonly onProgress: OnProgress
  /** Removes the bar; call it before anything else is printed. */
  readonly end: () => void
}

/** Between two events about the bytes of one file. */
const EVENT_MS = 1000

/** Tells progress to machines: each piece of it as an event, bytes at most once a second for a file. */
export function openEvents(
  event: (kind: string, facts: Readonly<Record<string, Json>>) => void,
  now: () => number = () => performance.now(),
): OnProgress {
  const told = new Map<string, number>()
  return ({ kind, ...fields }) => {
    if (kind === 'bytes' && 'name' in fields) {
      if (now() - (told.get(fields.name) ?? Number.NEGATIVE_INFINITY) < EVENT_MS) return
      told.set(fields.name, now())
    }
    event('component', { state: kind, ...fields })
  }
}

/** Between two pictures of the bar. */
const PICTURE_MS = 100
/** Between two lines about the same file, where there is no bar. */
const LINE_MS = 10_000

/** Takes the bar away. */
export const CLEAR = '\r\u001b[2K'

/**
 * Tells progress. `say` prints a line, e.g. of Output; `terminal` is given when stderr is one.
 * `now` is a clock in milliseconds.
 */
export function openReporter(
  say: (line: string) => void,
  terminal?: Terminal,
  now: () => number = () => performance.now(),
): Reporter {
  const running = new Map<string, Transfer>()
  const complaints = new Set<string>()
  // What is done counts until nothing is on its way any more: a bar does not go back.
  let past = { since: 0, bytes: 0 }
  let pictured = Number.NEGATIVE_INFINITY
  let drawn = false
  const clear = (): void => {
    if (drawn) terminal?.write(CLEAR)
    drawn = false
  }
  const line = (text: string): void => {
    clear()
    say(`[components] ${text}`)
  }
  const draw = (): void => {
    if (terminal === undefined || now() - pictured < PICTURE_MS) return
    pictured = now()
    terminal.write(`${CLEAR}${bar([...running.values()], past, now(), terminal.columns)}`)
    drawn = true
  }
  const onProgress: OnProgress = progress => {
    if (progress.kind === 'notice') return line(progress.text)
    const { name } = progress
    const transfer = running.get(name)
    switch (progress.kind) {
      case 'start':
        if (terminal === undefined) line(`Fetching ${name} from ${progress.host}`)
        if (running.size === 0) past = { since: now(), bytes: 0 }
        running.set(name, { name, since: now(), received: 0, told: now() })
        return
      case 'bytes':
        if (transfer === undefined) return
        running.set(name, { ...transfer, ...progress, told: tell(transfer, progress) })
        return draw()
      case 'retry': {
        // One host that is down concerns many files, many times.
        if (complaints.has(progress.reason)) return
        complaints.add(progress.reason)
        const when = progress.pauseMs < 1000 ? '' : ` in ${seconds(progress.pauseMs)}`
        return line(`${name}: ${progress.reason}; trying again${when}`)
      }
      case 'done': {
        const took = transfer === undefined ? '' : ` in ${seconds(now() - transfer.since)}`
        running.delete(name)
        past = { ...past, bytes: past.bytes + progress.bytes }
        const proof = (progress.proof ?? []).map(kind => `, ${PROOFS[kind]}`).join('')
        return line(`Fetched ${name} (${megabytes(progress.bytes)} MB${took}${proof})`)
      }
      case 'cached':
        return line(`Using ${name} from the cache`)
    }
  }
  const tell = (transfer: Transfer, { received, total }: { received: number; total?: number }): number => {
    if (terminal !== undefined || now() - transfer.told < LINE_MS) return transfer.told
    line(`${transfer.name}: ${megabytes(received)}${total === undefined ? '' : ` of ${megabytes(total)}`} MB`)
    return now()
  }
  return { onProgress, end: clear }
}

interface Transfer {
  readonly name: string
  /** When it began, and when a line told of it last. */
  readonly since: number
  readonly told: number
  readonly received: number
  readonly total?: number
}

const BAR_WIDTH = 24

/** What was done since something is on its way without a break. */
interface Past {
  readonly since: number
  readonly bytes: number
}

/** One line: the bar of everything whose size is known, bytes, speed, and what is on its way. */
function bar(transfers: readonly Transfer[], past: Past, now: number, columns: number): string {
  const known = transfers.filter(({ total }) => total !== undefined)
  const total = known.reduce((sum, transfer) => sum + (transfer.total ?? 0), past.bytes)
  const received = known.reduce((sum, transfer) => sum + transfer.received, past.bytes)
  const filled = total === 0 ? 0 : Math.round((received / total) * BAR_WIDTH)
  const speed = now > past.since ? received / ((now - past.since) / 1000) : 0
  // There is little room: of an image the last part of its name says enough.
  const names = transfers.map(({ name }) => name.replace(/^image .*\//, '')).join(', ')
  const text = `${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)} ${megabytes(received)}/${megabytes(total)} MB ${megabytes(speed)} MB/s ${names}`
  // Some terminals say that they have no columns at all.
  return text.slice(0, (columns || 80) - 1)
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
