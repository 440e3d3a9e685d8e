/** How this program was started, and so what a person types to start one of its scripts: for help, advice and errors. */
import { existsSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { quote } from '../machine/command.ts'

/** What is known of a start. */
export interface Start {
  /** The command line after the runtime's own options: the runtime first, as `process.argv`. */
  readonly argv: readonly string[]
  /** The runtime as it was typed, e.g. `node` or `/opt/node/bin/node`. */
  readonly argv0: string
  readonly runtime: 'node' | 'deno' | 'bun'
  readonly cwd: string
  readonly isRoot: boolean
  /** Set by sudo. */
  readonly sudoUser?: string
}

/** How this process was started. */
export function thisStart(): Start {
  const { SUDO_USER } = process.env
  const { versions } = process
  return {
    argv: process.argv,
    argv0: process.argv0,
    runtime: 'deno' in versions ? 'deno' : 'bun' in versions ? 'bun' : 'node',
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
    ...(SUDO_USER !== undefined && { sudoUser: SUDO_USER }),
  }
}

/** Whether it runs as root for somebody who is not. */
export function throughSudo({ isRoot, sudoUser }: Start = thisStart()): boolean {
  return isRoot && sudoUser !== undefined && sudoUser !== 'root'
}

/**
 * The command of a script in the form in which this process was started: `node dist/reset.mjs`, `sudo npx zx
 * scripts/reset.mts`, ...; without sudo where `asRoot` is false. What was started otherwise (tests, programs that
 * import a script) has the form of the README.
 */
export function commandOf(name: string, asRoot = false, start: Start = thisStart()): string {
  const sudo = asRoot && throughSudo(start) ? 'sudo ' : ''
  const index = start.argv.findIndex((argument, position) => position > 0 && /\.m[jt]s$/.test(argument))
  const path = start.argv[index]
  // Whatever is first may be zx, or a test runner.
  const isZx = index > 1 && /\bzx\b/.test(start.argv[1] ?? '')
  const isOurs = path !== undefined && ['dist', 'scripts'].includes(basename(dirname(absolute(path, start))))
  if (!isOurs || (index !== 1 && !isZx)) return `${sudo}npx zx scripts/${name}.mts`
  const script = quote(shown(join(dirname(path), `${name}${extname(path)}`), start))
  return `${sudo}${isZx ? 'npx zx' : runner(start)} ${script}`
}

/**
 * What starts another of our scripts in the way in which this one was started; bundles lie beside one another. Throws a
 * KubestepError when it is not there.
 */
export function scriptCommand(name: string, { argv, runtime, cwd }: Start = thisStart()): string[] {
  const index = argv.findIndex((argument, position) => position > 0 && /\.m[jt]s$/.test(argument))
  const own = isAbsolute(argv[index] ?? '') ? (argv[index] ?? '') : join(cwd, argv[index] ?? '')
  const path = join(dirname(own), `${name}${extname(own)}`)
  if (!existsSync(path)) {
    throw new KubestepError(
      `${name}: cannot find "${path}": it has to lie beside "${basename(own)}"; take all of dist/ along`,
    )
  }
  const options = runtime === 'deno' ? ['run', '-A', '--no-config', '--no-lock'] : process.execArgv
  return [process.execPath, ...options, ...argv.slice(1, index), path]
}

function runner({ runtime, argv0 }: Start): string {
  if (runtime === 'deno') return 'deno run -A'
  return runtime === 'bun' ? 'bun' : quote(argv0 || 'node')
}

function absolute(path: string, { cwd }: Start): string {
  return isAbsolute(path) ? path : join(cwd, path)
}

// Runtimes make the path whole; who typed it most likely stood at the top of the folder. At / everything is inside.
function shown(path: string, start: Start): string {
  const inside = relative(start.cwd, absolute(path, start))
  return inside.startsWith('..') || start.cwd === '/' ? path : inside
}
