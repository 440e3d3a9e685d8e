/** Running programs in the end-to-end tests: kubestep's bundles, kubectl, the build scripts. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface Ended {
  /** The exit status; 128 + number of the signal, as a shell has it, when a signal ended it. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly pid: number
  /** Everything it has said so far, both streams. */
  readonly said: () => string
  readonly ended: Promise<Ended>
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

export interface Settings {
  readonly environment?: Readonly<Record<string, string>>
  /** User to run as. */
  readonly uid?: number
  /** Its standard error is shown while it runs. */
  readonly loud?: true
}

/** Starts a program. */
export function start([command = '', ...args]: readonly string[], settings: Settings = {}): Running {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...settings.environment },
    ...(settings.uid !== undefined && { uid: settings.uid, gid: settings.uid }),
  })
  let [stdout, stderr, said] = ['', '', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
    said += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
    said += chunk
    if (settings.loud) process.stderr.write(chunk)
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    // Not "close": what a program leaves running may keep its streams open.
    child.on('exit', (status, signal) =>
      setImmediate(() => resolve({ status: status ?? 128 + (SIGNALS[signal ?? ''] ?? 0), stdout, stderr })),
    )
  })
  return { pid: child.pid ?? -1, said: () => said, ended }
}

/** Runs a program to its end. */
export function run(command: readonly string[], settings?: Settings): Promise<Ended> {
  return start(command, settings).ended
}

/** The command line of one of our bundles. */
export function bundle(name: string, ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`../../dist/${name}.mjs`, import.meta.url)), ...args]
}

/** The path of a file in this folder. */
export function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

const TRIES = 240

/** Looks again every half second until `look` gives something; throws the last error, or says what did not come. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined | false>): Promise<Found> {
  let last: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    await sleep(500)
  }
  throw new Error(`${what}: did not happen in ${TRIES} looks`, { cause: last })
}
