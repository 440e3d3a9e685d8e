/**
 * The frame of a script: its command as data plus a function. The result can be imported and called,
 * and runs by itself when its file is the entry, from the sources or as a bundle.
 */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ConfigError, RunError, UsageError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { maskJson, maskSecrets } from '../base/secrets.ts'
import { guardPath } from '../machine/root-path.ts'
import { type Arguments, type Command, parseArguments } from './arguments.ts'
import { faultText } from './fault-text.ts'
import { helpText } from './help.ts'
import { commandOf } from './invocation.ts'
import { withFiles } from './option-files.ts'
import { type Output, openOutput } from './output.ts'
import { guardStreams, write } from './streams.ts'

/** What a script's function gets. */
export interface Call extends Arguments {
  /** Name of the script, for messages. */
  readonly name: string
  readonly output: Output
}

export interface Script {
  readonly command: Command
  /** Runs it with parsed arguments; throws on failure. */
  readonly run: (call: Call) => Promise<void>
}

// The build names each bundle after its script (all modules of a bundle share one URL); '' for the action.
declare const ENTRY: string | undefined

/** Makes a script; `meta` is the file's own `import.meta`. Runs it when that file is what the user started. */
export function script(meta: ImportMeta, command: Command, run: (call: Call) => Promise<void>): Script {
  const argv = entryArguments(meta, command)
  const made = { command, run }
  if (argv !== undefined) void main(made, argv)
  return made
}

/** The arguments after this script's own name, or undefined when another file is the entry. */
function entryArguments(meta: ImportMeta, command: Command): readonly string[] | undefined {
  if (typeof ENTRY === 'string') return ENTRY === command.name ? process.argv.slice(2) : undefined
  // Under zx argv[1] is zx itself, so the file may stand later.
  const self = fileURLToPath(meta.url)
  const index = process.argv.findIndex((argument, position) => position > 0 && samePath(argument, self))
  return index === -1 ? undefined : process.argv.slice(index + 1)
}

function samePath(argument: string, self: string): boolean {
  if (!argument.endsWith('.mts')) return false
  try {
    return realpathSync(argument) === realpathSync(self)
  } catch {
    return false
  }
}

/** Exit status: 0 done, 1 failed, 2 wrong usage. */
export async function main(made: Script, argv: readonly string[]): Promise<void> {
  const { name } = made.command
  guardStreams(name)
  let verbose = false
  let output: Output | undefined
  const fail = (error: unknown): void => {
    process.exitCode = isUsage(error) ? 2 : 1
    const text = (stack: boolean): string => maskText(name, faultText(name, error, stack))
    output?.event('error', { text: text(false), ...(error instanceof RunError && maskedFacts(error)) })
    write('stderr', `${text(verbose)}\n`)
    if (isUsage(error)) write('stderr', `See ${commandOf(name)} --help\n`)
    // What still runs (a name that nobody resolves, a pull) would keep the process for as long as it likes.
    process.exit()
  }
  // What nobody waited for shows in a line as well, and not as a page of the bundle's source.
  process.on('uncaughtException', fail)
  try {
    const parsed = withFiles(name, parseArguments(made.command, argv))
    verbose = parsed.flags.verbose === true
    if (parsed.flags.help) {
      write('stdout', helpText(made.command, parsed.subcommand))
      return
    }
    output = openOutput(parsed.flags)
    for (const notice of guardPath()) output.warn(`${name}: ${notice}`)
    await made.run({ ...parsed, name, output })
  } catch (error) {
    fail(error)
  }
}

// Whatever is thrown, no secret in it is shown. A script's own name before it is not a key of one.
function maskText(name: string, text: string): string {
  const head = `${name}: `
  return text
    .split(`\n${head}`)
    .map((part, index) => (index === 0 && !part.startsWith(head) ? maskSecrets(part) : maskPart(head, index, part)))
    .join('\n')
}

function maskPart(head: string, index: number, part: string): string {
  return `${head}${maskSecrets(index === 0 ? part.slice(head.length) : part)}`
}

function maskedFacts({ facts }: RunError): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, maskJson(value, maskSecrets)]))
}

/** Whether the command line alone is at fault. */
function isUsage(error: unknown): boolean {
  return (
    error instanceof UsageError || (error instanceof ConfigError && error.faults.every(({ file }) => file === 'flags'))
  )
}
