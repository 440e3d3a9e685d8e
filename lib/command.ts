/** The one place that starts processes. zx does the quoting and the waiting; it is loaded only when needed. */
import { spawn } from 'node:child_process'
import { accessSync, constants, openSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isInCustody } from './custody.ts'
import { CommandError } from './errors.ts'

export interface CommandOptions {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Kills the command after that long. */
  readonly timeoutMs?: number
  readonly cwd?: string
}

export interface CommandResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, whatever its status; 127 when there is no such command. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { $ } = await import('zx/core')
  const quiet = $({
    nothrow: true,
    quiet: true,
    // dash is everywhere; bash is not. With plain single quotes both will do.
    shell: '/bin/sh',
    prefix: '',
    postfix: '',
    quote,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.input !== undefined && { input: options.input }),
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.environment },
  })
  const { exitCode, stdout, stderr } = await quiet`exec ${command}`
  return { exitCode, stdout, stderr }
}

/** Runs a command that has to succeed; gives its stdout. Throws a CommandError `<what>: <last line of its output>`. */
export async function mustRun(what: string, command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, options)
  if (exitCode === 0) return stdout
  const output = `${stdout}${stderr}`.trim()
  const last = output.split('\n').at(-1) ?? ''
  throw new CommandError(
    `${what}: ${command[0]} ended with status ${exitCode}: ${last}`,
    command.join(' '),
    exitCode,
    output,
  )
}

/** Starts a process in a session of its own that outlives this one, its output appended to a file; gives its pid. */
export function startDetached(command: readonly string[], logFile: string): number {
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(command[0] ?? '', command.slice(1), { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  child.on('error', () => {})
  child.unref()
  return child.pid ?? -1
}

/** Full path of a command on the PATH (and in the folders where root's tools lie); undefined when there is none. */
export function which(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  const found = folders.map(folder => join(folder, name)).filter(isExecutable)
  // A link in one of root's folders may lead to a file of somebody else's.
  return process.getuid?.() === 0 ? found.find(path => isInCustody(path)) : found[0]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A word as the shell takes it literally. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
