/**
 * The one place that starts processes. zx does the waiting; it is loaded only when needed. No shell is in between: a
 * program gets its arguments as they are, whatever they hold.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { uptime } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { CommandError } from '../base/errors.ts'
import { isInCustody } from './custody.ts'
import { outOfMemoryLine } from './kernel-log.ts'

export interface CommandOptions {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Kills the command after that long. */
  readonly timeoutMs?: number
  readonly cwd?: string
  /** Out of reach of what a terminal sends to us; then somebody has to end it. */
  readonly ownSession?: true
  /** A file, made for it, that gets its standard output. */
  readonly outputFile?: string
}

export interface CommandResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal?: string
  readonly stdout: string
  readonly stderr: string
}

/** As shells have it: it is there and cannot be run; it is not there. */
const NOT_RUNNABLE = 126
const NOT_FOUND = 127

/** Runs a command to its end, whatever its status; 127 when there is no such command, 126 when it is no program. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [name = '', ...args] = command
  const program = programPath(name)
  if (program === undefined) return { exitCode: NOT_FOUND, stdout: '', stderr: `${name}: not found` }
  if (!isProgram(program)) return { exitCode: NOT_RUNNABLE, stdout: '', stderr: `${name}: ${NO_PROGRAM}` }
  const { $ } = await import('zx/core')
  const output = options.outputFile === undefined ? undefined : openSync(options.outputFile, 'w', 0o600)
  try {
    const quiet = $({
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
        process.kill(Number(pid), signal)
      },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', output ?? 'pipe', 'pipe'],
      ...(options.input !== undefined && { input: options.input }),
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.ownSession && { detached: true }),
      env: { ...process.env, ...options.environment },
    })
    const ended = await quiet`${name}`
    const { signal, stdout } = ended
    // What could not be started at all, for instance because its arguments are too long, has a cause and no words.
    const stderr = ended.stderr === '' && ended.cause instanceof Error ? ended.cause.message : ended.stderr
    if (signal !== null) return { exitCode: null, signal, stdout, stderr }
    return { exitCode: ended.exitCode ?? NOT_RUNNABLE, stdout, stderr }
  } finally {
    if (output !== undefined) closeSync(output)
  }
}

/** Runs a command that has to succeed; gives its stdout. Throws a CommandError `<what>: <last line of its output>`. */
export async function mustRun(what: string, command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, signal, stdout, stderr } = await run(command, options)
  if (exitCode === 0) return stdout
  const output = `${stdout}${stderr}`.trim()
  const last = output.split('\n').at(-1) ?? ''
  const said = last === '' ? '' : `: ${last}`
  const end = signal === undefined ? `ended with status ${exitCode}${said}` : await killed(command, signal, options)
  throw new CommandError(`${what}: ${command[0]} ${end}`, command.join(' '), exitCode, output)
}

/** How a program that was killed was killed, and by whom as far as that can be known. */
async function killed(
  [program = '']: readonly string[],
  signal: string,
  { timeoutMs }: CommandOptions,
): Promise<string> {
  // The only ones that we kill ourselves.
  if (signal === 'SIGTERM' && timeoutMs !== undefined) return `did not end within ${timeoutMs / 1000} s`
  const by = `was killed by ${signal}`
  if (signal !== 'SIGKILL') return by
  const { stdout } = await run(['dmesg'])
  const line = outOfMemoryLine(stdout, basename(program), uptime())
  return line === undefined
    ? `${by}; when that was the kernel for lack of memory, dmesg says so`
    : `${by}: the kernel did that for lack of memory (${line}); give this machine more`
}

/**
 * Starts a process in a session of its own that outlives this one, its output appended to a file; gives its pid.
 * Throws a CommandError when it cannot be started: a number that is no pid, -1 above all, means everybody to kill(2).
 */
export function startDetached(
  command: readonly string[],
  logFile: string,
  environment: NodeJS.ProcessEnv = process.env,
): number {
  const [program = '', ...args] = command
  const log = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/', env: environment })
    child.on('error', () => {})
    child.unref()
    if (child.pid !== undefined) return child.pid
    throw new CommandError(`${program}: cannot be started; is it there, and a program?`, command.join(' '), null, '')
  } finally {
    closeSync(log)
  }
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

const NO_PROGRAM = 'it is no program of this machine'

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
