/** What every phase script begins with: its configuration, the facts of the host, where to read and where to write. */
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { KubestepError, UsageError } from '../../base/errors.ts'
import type { InitConfig, NodeRole } from '../../base/kubeadm.ts'
import { randomToken } from '../../base/token.ts'
import type { Flags } from '../../cli/options.ts'
import type { Call } from '../../cli/script.ts'
import { isDryRun } from '../../kubeadm/config/dry-run.ts'
import { type ConfigSource, loadInitConfig } from '../../kubeadm/config/load-config.ts'
import { PHASE_NAMES } from '../../kubeadm/config/phase-names.ts'
import { isExternalAuthority, issueCredentials } from '../../kubeadm/credentials/issue.ts'
import { newCertificateKey } from '../../kubeadm/objects/upload-certs-objects.ts'
import { openTree, type Tree } from '../../machine/dry-run-tree.ts'
import { below, explain, type FileEntry, mayRead, readFile, writeFiles } from '../../machine/files.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { NO_MACHINE_ADDRESS, readHostFacts } from '../../machine/host/read-facts.ts'
import type { Given } from '../phase.ts'
import { recordFiles } from './record-changes.ts'
import { type ApplyPatches, loadPatches } from './user-patches.ts'

export interface OpenedPhase {
  readonly config: InitConfig
  readonly facts: HostFacts
  /** The runtime's socket as the user names it, undefined when nobody does. */
  readonly namedSocket?: string
  readonly dryRun: boolean
  /** Below which folder files are written; another one than where they are read with --dry-run. */
  readonly target: string
  /** The content of a file of the host; in a dry run with --output-dir, of what other phases wrote there first. */
  readonly read: (path: string) => string | undefined
  /** Where a file of the host really lies, or would: for messages. */
  readonly place: (path: string) => string
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
export type PhaseSource = Pick<ConfigSource, 'text' | 'file' | 'versions' | 'stored'>

export interface PhaseOptions {
  /** Whether a dry run writes everything there is, so that nothing of an earlier tree stays. */
  readonly wholeTree?: boolean
  /** As what this machine joins the cluster that the configuration is of. */
  readonly joins?: NodeRole
}

/** Opens a phase: reads configuration and host, says kubeadm's warnings. Throws ConfigError, UsageError, KubestepError. */
export function openPhase(
  call: Call,
  source: PhaseSource = readConfig(call.flags),
  { wholeTree = false, joins }: PhaseOptions = {},
): OpenedPhase {
  const { flags, name, subcommand } = call
  const root = resolve(flags.root ?? '/')
  const mayGuess = isDryRun(source, flags) || name === 'preflight'
  const facts = factsOf(root, mayGuess)
  const { config: loaded, namedSocket, notices } = loadInitConfig({ ...source, flags, phases: PHASE_NAMES }, facts)
  const config = joins === undefined ? loaded : { ...loaded, joins }
  for (const notice of notices) call.output.warn(notice)
  // Preflight has a check of its own for it.
  if (mayGuess && name !== 'preflight' && isGuessed(config, facts)) {
    const { advertiseAddress } = config.init.localAPIEndpoint
    call.output.warn(
      `${name}: this machine has no default route: ${advertiseAddress} stands for its address; give it one, or --apiserver-advertise-address`,
    )
  }
  const dryRun = flags['dry-run'] ?? config.init.dryRun ?? false
  if (flags['output-dir'] !== undefined && !dryRun) {
    throw new UsageError(`${name}: cannot use --output-dir: it goes with --dry-run; add --dry-run, or use --root`)
  }
  const given = dryRun ? givenFolder(flags) : undefined
  let opened: Tree | undefined
  const options = { command: `${name} ${subcommand}`.trim(), whole: wholeTree }
  // Made when it is first asked for: a phase that only prints leaves no folder behind.
  const tree = (): Tree => {
    opened ??= openTree(given ?? mkdtempSync(join(tmpdir(), 'kubestep-dry-run-')), options)
    return opened
  }
  const readGiven = (path: string): string | undefined => (given === undefined ? opened : tree())?.read(path)
  const read = (path: string): string | undefined => readGiven(path) ?? readFile(root, path)
  const folder = config.cluster.certificatesDir
  const keys = [`${folder}/ca.key`, `${folder}/front-proxy-ca.key`, `${folder}/etcd/ca.key`]
  // A dry run needs no rights, so it leaves root's files alone.
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
      return dryRun ? tree().folder : root
    },
    read,
    readCredential: path => readGiven(path) ?? (isTaken(path) ? readFile(root, path) : undefined),
    place: path => {
      const isInTree = readGiven(path) !== undefined || (!wholeTree && !existsSync(below(root, path)))
      return below(isInTree ? (given ?? opened?.folder ?? root) : root, path)
    },
    write: entries => {
      if (dryRun) return tree().write(entries)
      // Who is not root writes where no cluster lies.
      if (root === '/' && process.getuid?.() === 0) recordFiles(entries.map(({ path }) => path))
      writeFiles(root, entries)
    },
  }
}

/** Facts of the host; where there is no default route, a dry run goes on with addresses that are nobody's. */
function factsOf(root: string, mayGuess: boolean): HostFacts {
  const facts = readHostFacts(root)
  const isKnown = Object.keys(facts.defaultAddress).length > 0
  return isKnown || !mayGuess ? facts : { ...facts, defaultAddress: NO_MACHINE_ADDRESS }
}

function isGuessed({ init }: InitConfig, { defaultAddress }: HostFacts): boolean {
  const { advertiseAddress } = init.localAPIEndpoint
  return defaultAddress === NO_MACHINE_ADDRESS && Object.values<string>(NO_MACHINE_ADDRESS).includes(advertiseAddress)
}

/** What a phase alone renders from. Throws a KubestepError for patches that cannot be read. */
export function givenOf(
  opened: OpenedPhase,
  { flags, output }: Call,
  apply: ApplyPatches = loadPatches(opened, output),
): Given {
  const { config, facts, read, readCredential, place } = opened
  const kubeconfigDir = flags['kubeconfig-dir']
  return {
    config,
    facts,
    read,
    readCredential,
    place,
    externalCa: isExternalAuthority(config, 'ca', read),
    issue: issueCredentials,
    apply,
    now: new Date(),
    runs: () => false,
    ...(kubeconfigDir !== undefined && { kubeconfigDir }),
    ...(flags['upload-certs'] && {
      upload: { key: config.init.certificateKey ?? newCertificateKey(), token: randomToken() },
    }),
  }
}

// kubeadm honours the variable too.
function givenFolder(flags: Flags): string | undefined {
  const given = flags['output-dir'] ?? process.env.KUBEADM_INIT_DRYRUN_DIR
  return given === undefined || given === '' ? undefined : resolve(given)
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
