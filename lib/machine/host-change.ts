/**
 * What prepare changes: each change holds what was there and what comes, so that one value is the plan, the line of
 * the record, and what undoing goes by.
 */
import type { ManagerName } from './host/host-packages.ts'
import type { SettingName } from './running-settings.ts'

/** A line that becomes another; null where there is none. */
export interface LineEdit {
  readonly before: string | null
  readonly after: string | null
}

export type PreparedChange =
  /** A file that is ours as a whole. */
  | {
      readonly kind: 'written'
      readonly path: string
      readonly before: string | null
      readonly after: string
      readonly mode: number
      /** Whether its folder is made for it. */
      readonly folder: boolean
    }
  /** Lines in a file of somebody else's; a line without `before` comes at its end. */
  | {
      readonly kind: 'lines'
      readonly path: string
      readonly edits: readonly LineEdit[]
      /** The last line had no end. */
      readonly unended?: true
    }
  /** A symbolic link; null where there was nothing. */
  | { readonly kind: 'link'; readonly path: string; readonly before: string | null; readonly after: string }
  /** A value of the running machine. */
  | {
      readonly kind: 'setting'
      readonly setting: SettingName
      readonly subject: string
      readonly before: string
      readonly after: string
    }
  /** Packages that were not there. */
  | { readonly kind: 'packages'; readonly manager: ManagerName; readonly names: readonly string[] }

export type PreparedKind = PreparedChange['kind']

/** What tells one change from another: from the same state to the same state is one, however often it is made. */
export function preparedSubject(change: PreparedChange): string {
  switch (change.kind) {
    case 'written':
    case 'link':
      return JSON.stringify([change.path, change.before, change.after])
    case 'lines':
      return `${change.path} ${JSON.stringify(change.edits)}`
    case 'setting':
      return JSON.stringify([change.setting, change.subject, change.before, change.after])
    case 'packages':
      return change.names.join(' ')
  }
}

/** Text with each edit made wherever its line stands; an edit whose line is missing is left out. */
export function withEdits(text: string, edits: readonly LineEdit[]): string {
  let lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const isEnded = text === '' || text.endsWith('\n')
  let isLonger = false
  for (const { before, after } of edits) {
    if (before !== null) lines = lines.flatMap(line => (line !== before ? [line] : after === null ? [] : [after]))
    else if (after !== null && !lines.includes(after)) {
      lines.push(after)
      isLonger = true
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}${isEnded || isLonger ? '\n' : ''}`
}

/** The edits that take others back, the last one first. */
export function reversed(edits: readonly LineEdit[]): LineEdit[] {
  return [...edits].reverse().map(({ before, after }) => ({ before: after, after: before }))
}
