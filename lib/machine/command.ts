/**
 * The one place that starts processes: zx's `$`, without the shell. The words of a template are the program and its
 * arguments; a value is a part of one word, a list is a word for each, whatever they hold. zx waits, reads and stops;
 * it takes 14 ms to load, so only whoever runs a command loads it.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { uptime } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import type { ProcessOutput } from 'zx/core'
import { CommandError } from '../base/errors.ts'
import { isInCustody } from './file-custody.ts'
import { outOfMemoryLine } from './kernel-log.ts'

/** By zx's names, where it has them. */
export interface CommandOptions {
  /** Its status is looked at, or does not matter. */
  readonly nothrow?: true
  /** Begins the message when it fails: `<phase>: cannot <verb> <thing>`. */
  readonly what?: string
  readonly input?: string
  /** Besides the variables of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Kills the command after that many milliseconds. */
  readonly timeout?: number
  readonly cwd?: string
  /** In a session of its own, out of reach of what a terminal sends to us; then somebody has to end it. */
  readonly detached?: true
  /** A file, made for it, that gets its standard output. */
  readonly outputFile?: string
}

type Value = string | number | readonly string[]

interface Dollar {
  /** Runs a command to its end. Throws a CommandError when it fails. */
  (pieces: TemplateStringsArray, ...values: readonly Value[]): Promise<ProcessOutput>
  /** The same with options, e.g. `` await $({ nothrow: true })`ip link delete ${name}` ``. */
  (options: CommandOptions): Dollar
}

export const $: Dollar = withOptions({})

function withOptions(options: CommandOptions): Dollar {
  function dollar(pieces: TemplateStringsArray, ...values: readonly Value[]): Promise<ProcessOutput>
  function dollar(more: CommandOptions): Dollar
  function dollar(first: TemplateStringsArray | CommandOptions, ...values: readonly Value[]) {
    return 'raw' in first ? start(words(first, values), options) : withOptions({ ...options, ...first })
  }
  return dollar
}

/** The words of a template: its text is split at blanks, its values are not. */
function words(pieces: TemplateStringsArray, values: readonly Value[]): string[] {
  const found: string[][] = [[]]
  for (const [index, piece] of pieces.entries()) {
    const [rest = '', ...others] = piece.split(/\s+/)
    if (rest !== '') found.at(-1)?.push(rest)
    for (const other of others) found.push(other === '' ? [] : [other])
    const [first, ...items] = [values[index] ?? []].flat().map(String)
    if (first !== undefined) found.at(-1)?.push(first)
    for (const item of items) found.push([item])
  }
  return found.filter(({ length }) => length > 0).map(parts => parts.join(''))
}

/** As shells have it: it is there and cannot be run; it is not there. */
const NOT_RUNNABLE = 126
const NOT_FOUND = 127

async function start(command: readonly string[], options: CommandOptions): Promise<ProcessOutput> {
  const ended = await end(command, options)
  if (ended.ok || options.nothrow) return ended
  const [name = ''] = command
  const output = `${ended.stdout}${ended.stderr}`.trim()
  const last = output.split('\n').at(-1) ?? ''
  const said = last === '' ? '' : `: ${last}`
  const how =
    ended.signal === null ? `ended with status ${ended.exitCode}${said}` : await killed(name, ended.signal, options)
  const message = `${name} ${how}`
  throw new CommandError(
    options.what === undefined ? message : `${options.what}: ${message}`,
    command.join(' '),
    ended.exitCode,
    output,
  )
}

async function end([name = '', ...args]: readonly string[], options: CommandOptions): Promise<ProcessOutput> {
  const { $: zx, ProcessOutput } = await import('zx/core')
  const without = (status: number, reason: string): ProcessOutput => new ProcessOutput(status, null, '', reason)
  const program = programPath(name)
  if (program === undefined) return without(NOT_FOUND, `${name}: not found`)
  if (!isProgram(program)) return without(NOT_RUNNABLE, `${name}: ${NO_PROGRAM}`)
  const output = options.outputFile === undefined ? undefined : openSync(options.outputFile, 'w', 0o600)
  try {
    const ended = await zx({
      nothrow: true,
      quiet: true,
      // zx wants both for the text that it would give to a shell; `spawn` below goes by the arguments instead.
      shell: '/bin/sh',
      quote: String,
      prefix: '',
      postfix: '',
      spawn: ((_text: string, _none: readonly string[], settings: SpawnOptions): ChildProcess =>
        spawn(program, args, { ...settings, shell: false })) as typeof spawn,
      // zx's own asks ps, through a shell, who else is to go.
      kill: async (pid, signal) => {
        try {
          process.kill(Number(pid), signal)
        } catch {
          // It has ended by itself meanwhile.
        }
      },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', output ?? 'pipe', 'pipe'],
      ...(options.input !== undefined && { input: options.input }),
      ...(options.timeout !== undefined && { timeout: options.timeout }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.detached && { detached: true }),
      env: { ...process.env, ...options.env },
    })`${name}`
    if (ended.exitCode !== null || ended.signal !== null) return ended
    // It could not be started at all, for instance because its arguments are too long.
    return without(NOT_RUNNABLE, ended.cause?.message ?? ended.stderr)
  } finally {
    if (output !== undefined) closeSync(output)
  }
}

/** How a program that was killed was killed, and by whom as far as that can be known. */
async function killed(program: string, signal: string, { timeout }: CommandOptions): Promise<string> {
  // The only ones that we kill ourselves.
  if (signal === 'SIGTERM' && timeout !== undefined) return `did not end within ${timeout / 1000} s`
  const by = `was killed by ${signal}`
  if (signal !== 'SIGKILL') return by
  const { stdout } = await $({ nothrow: true })`dmesg`
  const line = outOfMemoryLine(stdout, basename(program), uptime())
  return line === undefined
    ? `${by}; when that was the kernel for lack of memory, dmesg says so`
    : `${by}: the kernel did that for lack of memory (${line}); give this machine more`
}

/**
 * Starts a process in a session of its own that outlives this one, its output appended to a file; gives its pid.
 * Throws a CommandError when it cannot be started: a number that is not a pid, -1 above all, means everybody to kill(2).
 */
export function startDetached(
  command: readonly string[],
  logFile: string,
  environment: NodeJS.ProcessEnv = process.env,
): number {
  return spawnDetached(command, logFile, environment, 'ignore').pid
}

/** The same for a process that waits until it is told a word on its standard input, which ends when this one does. */
export function startWaiting(
  command: readonly string[],
  logFile: string,
  environment: NodeJS.ProcessEnv,
): { readonly pid: number; readonly tell: () => void } {
  const { pid, stdin } = spawnDetached(command, logFile, environment, 'pipe')
  // It may be gone, which is seen where it is waited for.
  stdin?.on('error', () => {})
  return { pid, tell: () => stdin?.end('go\n') }
}

function spawnDetached(
  command: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv,
  input: 'ignore' | 'pipe',
): ChildProcess & { readonly pid: number } {
  const [program = '', ...args] = command
  const log = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(program, args, { detached: true, stdio: [input, log, log], cwd: '/', env })
    child.on('error', () => {})
    child.unref()
    if (hasPid(child)) return child
    throw new CommandError(`${program}: cannot be started; is it there, and a program?`, command.join(' '), null, '')
  } finally {
    closeSync(log)
  }
}

function hasPid(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
  return child.pid !== undefined
}

/** Full path of a command on the PATH (and in the folders where root's tools lie); undefined when there is none. */
export function which(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  const found = folders.map(folder => join(folder, name)).filter(isExecutable)
  // A link in one of root's folders may lead to a file of somebody else's.
  return process.getuid?.() === 0 ? found.find(path => isInCustody(path)) : found[0]
}

function programPath(name: string): string | undefined {
  if (!name.includes('/')) return which(name)
  return isExecutable(name) ? name : undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const NO_PROGRAM = 'it is not a program of this machine'

/**
 * Whether the kernel may run it: machine code, or a script that names what runs it. The C library gives anything else
 * to a shell, which would run a web page or a wrong archive word by word.
 */
function isProgram(path: string): boolean {
  const start = new Uint8Array(4)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, start, 0, start.length, 0)
    } finally {
      closeSync(file)
    }
  } catch {
    // Not ours to read: the kernel decides.
    return true
  }
  const magic = Buffer.from(start).toString('latin1')
  return magic === '\x7fELF' || magic.startsWith('#!')
}

/** A word as a shell takes it literally: for commands that people copy. Nothing here gives one to a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
