/** What others have written about a service: its unit, a mask, and drop-ins beside it, in the order that systemd reads. */
import { dirname, resolve } from 'node:path'
import type { HostSource } from './host-source.ts'

/** Where we write units. */
export const OWN_FOLDER = '/etc/systemd/system'

/**
 * Where units are looked for: the first one of a name counts, and the drop-ins of all.
 * Source: systemd.unit(5), the load path of the system manager (v252).
 */
export const UNIT_FOLDERS: readonly string[] = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  OWN_FOLDER,
  '/etc/systemd/system.attached',
  '/run/systemd/system',
  '/run/systemd/system.attached',
  '/run/systemd/generator',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/run/systemd/generator.late',
]

/** The first words of whatever we write. */
export const MARK = '# Written by kubestep; removed by its reset.'

export interface UnitText {
  readonly path: string
  readonly text: string
}

/** All of it is of others; what is ours is left out. */
export interface UnitFiles {
  /** The unit that counts without ours. */
  readonly unit?: UnitText
  /** What keeps everybody from starting it: a link to /dev/null, or an empty file. */
  readonly mask?: string
  /** Whether that, or a unit, lies where nothing of ours would win over it. */
  readonly isAbove: boolean
  /** The last one counts. */
  readonly dropIns: readonly UnitText[]
  /** Services that these files require and that are not there, with the file that does. */
  readonly missing: readonly { readonly path: string; readonly unit: string }[]
}

type Source = Pick<HostSource, 'read' | 'list' | 'link' | 'kind'>

/** Reads them; `name` is without `.service`. */
export function readUnitFiles(
  source: Source,
  name: string,
  own: string = OWN_FOLDER,
  folders: readonly string[] = UNIT_FOLDERS,
): UnitFiles {
  const found = findUnit(source, `${name}.service`, folders)
  const path = found?.path ?? ''
  const unit = found === undefined || found.text === '' ? undefined : found
  const dropIns = readDropIns(source, name, folders)
  const files = [...(unit === undefined ? [] : [unit]), ...dropIns]
  return {
    ...(unit !== undefined && { unit }),
    ...(found?.text === '' && { mask: path }),
    isAbove: folders.slice(0, folders.indexOf(own)).some(folder => path.startsWith(`${folder}/`)),
    dropIns,
    missing: files.flatMap(file =>
      requiredServices(file.text)
        .filter(other => (findUnit(source, other, folders)?.text ?? '') === '')
        .map(other => ({ path: file.path, unit: other })),
    ),
  }
}

/** The unit of a name that counts; one that is masked has no text. Source: systemd.unit(5), "masked". */
function findUnit(source: Source, file: string, folders: readonly string[]): UnitText | undefined {
  for (const folder of folders) {
    const path = `${folder}/${file}`
    if (isNothing(source, path)) return { path, text: '' }
    const text = source.read(path)
    if (text !== undefined && !text.startsWith(MARK)) return { path, text }
  }
  return undefined
}

function isNothing(source: Source, path: string): boolean {
  const link = source.link(path)
  return link === undefined ? source.read(path)?.trim() === '' : resolve(dirname(path), link) === '/dev/null'
}

/** A file of a name hides those of the same name in later folders, also when there is nothing in it. */
function readDropIns(source: Source, name: string, folders: readonly string[]): UnitText[] {
  const paths = new Map<string, string>()
  // What is said of one service comes before what is said of all.
  for (const kind of [`${name}.service.d`, 'service.d']) {
    for (const folder of folders) {
      for (const file of source.list(`${folder}/${kind}`) ?? []) {
        if (file.endsWith('.conf') && !paths.has(file)) paths.set(file, `${folder}/${kind}/${file}`)
      }
    }
  }
  return [...paths]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, path]) => ({ path, text: isNothing(source, path) ? '' : (source.read(path) ?? '') }))
    .filter(({ text }) => text !== '' && !text.startsWith(MARK))
}

/** Names of the settings in a file. Source: systemd.syntax(7). */
export function settingNames(text: string): string[] {
  return linesOf(text).flatMap(line => /^\s*([A-Za-z]\w*)\s*=/.exec(line)?.[1] ?? [])
}

const REQUIRING = /^\s*(?:Requires|Requisite|BindsTo)\s*=(.*)$/

/** Other kinds of units may be there without a file. */
function requiredServices(text: string): string[] {
  return linesOf(text)
    .flatMap(line => (REQUIRING.exec(line)?.[1] ?? '').split(/\s+/))
    .filter(unit => /\.(service|socket)$/.test(unit) && !unit.includes('@'))
}

// A backslash at its end joins a line with the next; comments end no line.
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter(line => !/^\s*[#;]/.test(line))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
}
