/** What every phase script begins with: its configuration, the facts of the host, where to read and where to write. */
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type ConfigSource, loadInitConfig } from './config/load.ts'
import type { InitConfig } from './config/types.ts'
import { KubestepError, UsageError } from './errors.ts'
import { explain, type FileEntry, mayRead, readFile, writeFiles } from './files.ts'
import type { HostFacts } from './host/facts.ts'
import { readHostFacts } from './host/read.ts'
import { recordFiles } from './live/record.ts'
import type { Flags } from './options.ts'
import { PHASE_NAMES } from './phases.ts'
import type { Call } from './script.ts'

export { PHASE_OPTIONS } from './options.ts'

export interface Phase {
  readonly config: InitConfig
  readonly facts: HostFacts
  /** The runtime's socket as the user names it, undefined when nobody does. */
  readonly namedSocket?: string
  readonly dryRun: boolean
  /** Below which folder files are written; another one than where they are read with --dry-run. */
  readonly target: string
  /** The content of a file of the host; with --output-dir, of the tree there first. */
  readonly read: (path: string) => string | undefined
  /**
   * The same for credentials. A dry run takes along the CAs of the host (all of its credentials where a CA's key is
   * kept elsewhere) and makes the others anew, as kubeadm's does: what lies on the host is another cluster's.
   */
  readonly readCredential: (path: string) => string | undefined
  /** Writes all of them or none; on a live host they are recorded first, so that reset takes them away. */
  readonly write: (entries: readonly FileEntry[]) => void
}

/** The certificates and keys of the three CAs. */
const AUTHORITY_FILE = /\/(front-proxy-)?ca\.(crt|key)$/

/** The configuration file as it was read, and versions that were looked up for it. */
export type PhaseSource = Pick<ConfigSource, 'text' | 'file' | 'versions'>

/** Opens a phase: reads configuration and host, says kubeadm's warnings. Throws ConfigError, UsageError, KubestepError. */
export function openPhase(call: Call, source: PhaseSource = readConfig(call.flags)): Phase {
  const { flags } = call
  const root = resolve(flags.root ?? '/')
  const facts = readHostFacts(root)
  const { config, namedSocket, notices } = loadInitConfig({ ...source, flags, phases: PHASE_NAMES }, facts)
  for (const notice of notices) call.output.warn(notice)
  const dryRun = flags['dry-run'] ?? config.init.dryRun ?? false
  if (flags['output-dir'] !== undefined && !dryRun) {
    throw new UsageError(`${call.name}: cannot use --output-dir: it goes with --dry-run; add --dry-run, or use --root`)
  }
  let made: string | undefined
  // Made when it is first asked for: a phase that only prints leaves no folder behind.
  const target = (): string => {
    made ??= dryRun ? dryRunFolder(flags) : root
    return made
  }
  const given = dryRun ? givenFolder(flags) : undefined
  const readGiven = (path: string): string | undefined => (given === undefined ? undefined : readFile(given, path))
  const read = (path: string): string | undefined => readGiven(path) ?? readFile(root, path)
  const folder = config.cluster.certificatesDir
  const keys = [`${folder}/ca.key`, `${folder}/front-proxy-ca.key`, `${folder}/etcd/ca.key`]
  // A dry run needs no rights: what belongs to root on this host is nothing to it.
  const isOpen = !dryRun || keys.every(path => mayRead(root, path))
  if (!isOpen) call.output.warn(`[dryrun] Leaving the credentials in "${folder}" out: this user may not read them`)
  const isTaken = (path: string): boolean =>
    !dryRun ||
    (isOpen &&
      (AUTHORITY_FILE.test(path) || (read(`${folder}/ca.crt`) !== undefined && read(`${folder}/ca.key`) === undefined)))
  return {
    config,
    facts,
    ...(namedSocket !== undefined && { namedSocket }),
    dryRun,
    get target() {
      return target()
    },
    read,
    readCredential: path => readGiven(path) ?? (isTaken(path) ? readFile(root, path) : undefined),
    write: entries => {
      // Who is not root writes where no cluster lies.
      if (!dryRun && root === '/' && process.getuid?.() === 0) recordFiles(entries.map(({ path }) => path))
      writeFiles(target(), entries)
    },
  }
}

// kubeadm honours the variable too (rule book 0.2).
function givenFolder(flags: Flags): string | undefined {
  const given = flags['output-dir'] ?? process.env.KUBEADM_INIT_DRYRUN_DIR
  return given === undefined || given === '' ? undefined : resolve(given)
}

function dryRunFolder(flags: Flags): string {
  return givenFolder(flags) ?? mkdtempSync(join(tmpdir(), 'kubestep-dry-run-'))
}

/** The text of the file that --config names; nothing without one. Throws a KubestepError. */
export function readConfig(flags: Flags): { text?: string; file?: string } {
  return flags.config === undefined ? {} : readConfigFile(flags.config)
}

/** Reads a configuration file; `-` is standard input. Throws a KubestepError that says what is wrong with it. */
export function readConfigFile(file: string): { text: string; file: string } {
  try {
    if (file === '-') return { text: readFileSync(0, 'utf8'), file: 'standard input' }
    if (statSync(file).isDirectory()) {
      throw new KubestepError(`config: cannot read "${file}": it is a folder; name a file in it`)
    }
    return { text: readFileSync(file, 'utf8'), file }
  } catch (error) {
    if (error instanceof KubestepError) throw error
    throw new KubestepError(`config: cannot read "${file}": ${explain(error)}`, { cause: error })
  }
}
