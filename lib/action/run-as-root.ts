/** The one place where the action starts processes: as root, through sudo where this user is not. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exec } from '@actions/exec'
import { childrenOf } from '../machine/host/processes.ts'

/**
 * Variables that init, the log bundle and reset may need; nothing else of the job's environment reaches root. They are
 * named to sudo, not written on its command line: an address of a proxy may hold a password.
 */
export const PASSED: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'REGISTRY_AUTH_FILE',
]

/** What every program needs; sudo has its own. */
const BASIC: readonly string[] = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'CI', 'GITHUB_ACTIONS']

/**
 * The environment for what runs as root. Tokens of the job stay out, and RUNNER_TRACKING_ID too, by which a runner finds
 * and ends what a job leaves running. The user's logins to registries come along.
 */
function rootEnvironment(): Record<string, string> {
  const login = loginFolder(process.env.HOME)
  const named = [...BASIC, ...PASSED].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...(login !== undefined && existsSync(join(login, 'config.json')) && { DOCKER_CONFIG: login }),
    ...Object.fromEntries(named),
  }
}

/** Where Docker keeps logins. Without a HOME nothing: never a folder that happens to lie below the current one. */
export function loginFolder(home: string | undefined): string | undefined {
  return home !== undefined && isAbsolute(home) ? join(home, '.docker') : undefined
}

/** The command that does it as root; itself when this process is root. */
export function asRoot(command: readonly string[], isRoot: boolean = process.getuid?.() === 0): string[] {
  if (isRoot) return [...command]
  const passed = Object.keys(rootEnvironment()).filter(name => PASSED.includes(name))
  return ['sudo', '-n', ...(passed.length > 0 ? [`--preserve-env=${passed.join(',')}`] : []), '--', ...command]
}

// The build names each bundle; from the sources the bundles lie beside them.
declare const ENTRY: string | undefined

/** The path of one of the bundles. */
export function bundlePath(name: string): string {
  return fileURLToPath(new URL(typeof ENTRY === 'string' ? `./${name}.mjs` : `../../dist/${name}.mjs`, import.meta.url))
}

/** The command line of a bundle, on the Node that runs this. */
export function bundle(name: string, ...args: readonly string[]): string[] {
  return [process.execPath, bundlePath(name), ...args]
}

export interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Called for each line as it comes. */
  readonly onOut?: (line: string) => void
  readonly onError?: (line: string) => void
  /** Variables besides the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
  /** The whole environment, in place of that. */
  readonly only?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Ends it after that long. */
  readonly timeoutMs?: number
}

/** Runs a command to its end, whatever its status, one at a time; 127 when it cannot be started. Prints nothing by itself. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const [program = '', ...args] = command
  let [stdout, stderr] = ['', '']
  const environment = Object.entries(options.only ?? { ...process.env, ...options.environment })
  const timer =
    options.timeoutMs === undefined ? undefined : setTimeout(() => signal(children(), 'TERM'), options.timeoutMs)
  try {
    // It takes a line apart by blanks and quotes.
    const status = await exec(`"${program.replaceAll('"', '\\"')}"`, args, {
      silent: true,
      ignoreReturnCode: true,
      env: Object.fromEntries(environment.filter((pair): pair is [string, string] => pair[1] !== undefined)),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      // What it leaves running may keep its streams open.
      delay: 1000,
      listeners: {
        stdout: data => {
          stdout += data
        },
        stderr: data => {
          stderr += data
        },
        stdline: line => options.onOut?.(line),
        errline: line => options.onError?.(line),
      },
    })
    return { status, stdout, stderr }
  } catch (error) {
    return { status: 127, stdout, stderr: `${stderr}${error instanceof Error ? error.message : error}` }
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a command as root, with what root may know of this job. */
export function runAsRoot(command: readonly string[], options: Omit<RunOptions, 'environment'> = {}): Promise<Ended> {
  return run(asRoot(command), { ...options, only: rootEnvironment() })
}

/** Pids of the processes that this one has started and that still run. */
export function children(): number[] {
  return childrenOf(process.pid)
}

/** Sends a signal to processes that may be root's; the ones that are gone do not matter. */
export function signal(pids: readonly number[], name: 'INT' | 'TERM' | 'KILL'): void {
  if (pids.length === 0) return
  const [program = '', ...args] = asRoot(['kill', `-${name}`, ...pids.map(String)])
  spawnSync(program, args, { stdio: 'ignore', timeout: 5000 })
}
