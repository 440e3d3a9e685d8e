/** Making one change of prepare, showing it before, and taking it back after: one row per kind. */
import { dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { readFile, removeFiles, removeFolder, rewriteFile, writeFiles, writeLink } from '../../machine/files.ts'
import { PACKAGE_MANAGERS } from '../../machine/host/host-packages.ts'
import type { HostSource } from '../../machine/host/host-source.ts'
import { type PreparedChange, type PreparedKind, reversed, withEdits } from '../../machine/host-change.ts'
import { endInstalling } from '../../machine/package-manager-run.ts'
import { SETTINGS, settingName } from '../../machine/running-settings.ts'
import { unifiedDiff } from './diff.ts'
import { installPackages } from './install.ts'

type Of<Kind extends PreparedKind> = Extract<PreparedChange, { readonly kind: Kind }>

type Recorder = (change: PreparedChange) => void

interface Step<Kind extends PreparedKind> {
  /** Lines as `diff -u` has them for files, `what: old -> new` for values. */
  readonly show: (change: Of<Kind>, host: HostSource) => readonly string[]
  /** Throws a KubestepError. */
  readonly make: (change: Of<Kind>, host: HostSource, record: Recorder) => Promise<void>
  /** Gives a line where something stays on purpose. Throws a KubestepError. */
  readonly undo: (change: Of<Kind>, host: HostSource) => Promise<string | undefined>
}

const STEPS: { readonly [Kind in PreparedKind]: Step<Kind> } = {
  written: {
    show: ({ path, before, after }) => unifiedDiff(path, before, after),
    make: async ({ path, after, mode }, { root }) => writeFiles(root, [{ path, mode, content: after }]),
    undo: async ({ path, before, after, mode, folder }, { root }) => {
      const present = readFile(root, path) ?? null
      if (present === before) return undefined
      if (present !== after) return `"${path}" was changed after it was written: it stays as it is`
      if (before !== null) writeFiles(root, [{ path, mode, content: before }])
      else {
        removeFiles(root, [path])
        if (folder) removeFolder(root, dirname(path))
      }
      return undefined
    },
  },
  lines: {
    show: ({ path, edits }, { read }) => {
      const text = read(path) ?? ''
      return unifiedDiff(path, text, withEdits(text, edits))
    },
    make: async ({ path, edits }, { root }) => rewriteFile(root, path, withEdits(textOf(root, path), edits)),
    undo: async ({ path, edits, unended }, { root }) => {
      const text = readFile(root, path)
      if (text === undefined) return `"${path}" is gone: nothing is put back into it`
      const edited = withEdits(text, reversed(edits))
      const whole = unended ? edited.replace(/\n$/, '') : edited
      if (whole !== text) rewriteFile(root, path, whole)
      const lines = text.split('\n')
      const lost = edits.filter(({ before, after }) => !lines.includes(after ?? '') && !lines.includes(before ?? ''))
      if (lost.length === 0) return undefined
      return `"${path}" was changed: ${lost.map(({ after }) => JSON.stringify(after)).join(', ')} is not there any more`
    },
  },
  link: {
    show: ({ path, before, after }) => [`link ${path}: ${before ?? 'none'} -> ${after}`],
    make: async ({ path, after }, { root }) => writeLink(root, path, after),
    undo: async ({ path, before, after }, { root, link }) => {
      const present = link(path) ?? null
      if (present === before) return undefined
      if (present !== after) return `link "${path}" was changed: it stays as it is`
      if (before === null) removeFiles(root, [path])
      else writeLink(root, path, before)
      return undefined
    },
  },
  setting: {
    show: change => [`${settingName(change)}: ${change.before} -> ${change.after}`],
    make: async ({ setting, subject, after }, { root }) => SETTINGS[setting].write(subject, after, root),
    undo: async (change, host) => {
      const { setting, subject, before, after } = change
      const present = await SETTINGS[setting].read(subject, host)
      const name = settingName(change)
      if (present === before) return undefined
      if (present === undefined) return `${name} is gone: nothing is set back`
      if (present !== after) return `${name} was set to ${present} since: it stays so`
      await SETTINGS[setting].write(subject, before, host.root)
      return SETTINGS[setting].isHeld && (await SETTINGS[setting].read(subject, host)) === after
        ? `${name} stays ${after}: something uses it; it is gone after the next boot`
        : undefined
    },
  },
  packages: {
    show: ({ manager, names }) => [`install ${names.join(' ')} with ${manager}`],
    make: async ({ manager, names }, _host, record) => installPackages('prepare', manager, names, record),
    undo: async change => {
      // One that a kubestep began that was killed: nothing else is taken back while it is at work.
      if (await endInstalling()) return stayingPackages(change)
      throw new KubestepError(`${change.manager} is still at work; wait for it to end, and try again`)
    },
  },
}

/** What becomes of packages: others may need them by now, so that only people can say whether they go. */
export function stayingPackages({ manager, names }: Of<'packages'>): string {
  const remove = PACKAGE_MANAGERS.find(({ name }) => name === manager)?.remove ?? manager
  return `packages stay installed: ${names.join(' ')}; "${remove} ${names.join(' ')}" takes them away`
}

/** How a change looks before it is made. */
export function showChange(change: PreparedChange, host: HostSource): readonly string[] {
  return stepOf(change).show(change, host)
}

/** What is said of a change that was made: a line. */
export function madeChange(change: PreparedChange, host: HostSource): string {
  const isFile = change.kind === 'written' || change.kind === 'lines'
  return isFile ? `wrote ${change.path}` : showChange(change, host).join('; ')
}

/** Makes a change; `record` gets what it changes on the way, before that is changed. Throws a KubestepError. */
export function makeChange(change: PreparedChange, host: HostSource, record: Recorder): Promise<void> {
  return stepOf(change).make(change, host, record)
}

/** Takes a change back; gives a line where something stays on purpose. Can be run again. Throws a KubestepError. */
export function undoChange(change: PreparedChange, host: HostSource): Promise<string | undefined> {
  return stepOf(change).undo(change, host)
}

// The table's rows are typed by kind; a change has to go to its own.
function stepOf(change: PreparedChange): Step<PreparedKind> {
  return STEPS[change.kind] as unknown as Step<PreparedKind>
}

function textOf(root: string, path: string): string {
  const text = readFile(root, path)
  if (text === undefined) throw new KubestepError(`prepare: cannot edit "${path}": it is gone; run prepare again`)
  return text
}
