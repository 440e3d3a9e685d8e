/** How a script may look where it is shown: by the terminal, and by the variables that people and programs set for it. */

export interface Look {
  /** A spinner that is drawn again and again. */
  readonly live: boolean
  /** Ticks and colours. */
  readonly colour: boolean
}

/** Plain lines unless somebody watches a terminal; FORCE_COLOR colours what is piped, too. Source: no-color.org, force-color.org. */
export function lookOf(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Look {
  const { FORCE_COLOR, NO_COLOR, TERM } = environment
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== ''
  if (forced && ['0', 'false'].includes(FORCE_COLOR)) return { live: false, colour: false }
  const isPlain = (NO_COLOR ?? '') !== '' || TERM === 'dumb' || environment.CI !== undefined
  const live = isTerminal && !isPlain
  return { live, colour: forced || live }
}

type Ink = 'green' | 'yellow' | 'red' | 'dim'

/** Source: ECMA-48, select graphic rendition. */
const INKS: Readonly<Record<Ink, readonly [on: number, off: number]>> = {
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
  dim: [2, 22],
}

export function inked(ink: Ink, text: string): string {
  const [on, off] = INKS[ink]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

/** The line of something that is done: a tick, and who says it in the background. */
export function doneLine(line: string): string {
  return `${inked('green', '✔')} ${saidLine(line)}`
}

/** A line of progress, with who says it in the background. */
export function saidLine(line: string): string {
  return line.replace(/^\[[\w-]+\]/, who => inked('dim', who))
}

export function warningLine(line: string): string {
  return `${inked('yellow', '⚠')} ${saidLine(line)}`
}
