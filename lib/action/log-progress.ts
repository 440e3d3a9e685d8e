/** The events of `init -o json` and `upgrade -o json` as a workflow log shows them: groups by phase, and the facts at the end. */

import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { maskSecrets } from '../base/secrets.ts'
import { PHASES } from '../kubeadm/config/phase-names.ts'

/** What a log can show. */
export interface Log {
  readonly info: (line: string) => void
  readonly debug: (line: string) => void
  readonly startGroup: (title: string) => void
  readonly endGroup: () => void
}

/** Events whose facts are kept. */
const KEPT = ['ready', 'upgraded', 'error'] as const
type EventKind = (typeof KEPT)[number]

export interface Progress {
  /** Takes a line of standard output. */
  readonly line: (line: string) => void
  /** Closes what is open. */
  readonly end: () => void
  /** The facts of the last event of that kind. */
  readonly facts: (kind: EventKind) => JsonObject | undefined
}

/** Lines that stay visible when groups are folded. */
const OPEN: readonly string[] = ['init', 'runtime', 'images', 'ready', 'upgrade', 'wait']

const READY = /^\[init\] Kubernetes \S+ is ready after /

/** Shows events as they come. */
export function openProgress(log: Log): Progress {
  const facts = new Map<string, JsonObject>()
  let group = ''
  let over = false
  const show = (text: string): void => {
    // What init says then is for root on a machine of one's own: the action has files and outputs for it.
    if (over) return
    over = READY.test(text)
    const name = /^\[([\w-]+)\]/.exec(text)?.[1] ?? group
    if (name !== group) {
      if (group !== '' && !OPEN.includes(group)) log.endGroup()
      if (name !== '' && !OPEN.includes(name)) log.startGroup(title(name))
      group = name
    }
    log.info(maskSecrets(text))
  }
  const end = (): void => {
    if (group !== '' && !OPEN.includes(group)) log.endGroup()
    group = ''
  }
  return {
    line: line => {
      const event = readEvent(line)
      if (event === undefined) {
        if (line.trim() !== '') show(line)
      } else if (event.event === 'detail') log.debug(maskSecrets(String(event.text)))
      else if (KEPT.some(kind => kind === event.event)) facts.set(String(event.event), event)
      else if (typeof event.text === 'string') show(event.event === 'warning' ? `Warning: ${event.text}` : event.text)
    },
    end,
    facts: kind => facts.get(kind),
  }
}

function readEvent(line: string): JsonObject | undefined {
  if (!line.startsWith('{"event":')) return undefined
  try {
    const event = JSON.parse(line) as Json
    return isObject(event) ? event : undefined
  } catch {
    return undefined
  }
}

function title(name: string): string {
  const about = PHASES.find(phase => phase.name === name)?.about
  return about === undefined ? name : `${name}: ${about}`
}
