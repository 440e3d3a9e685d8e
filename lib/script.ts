/**
 * The frame of a script: its command as data plus a function. The result can be imported and called,
 * and runs by itself when its file is the entry, from the sources or as a bundle.
 */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Arguments, type Command, parseArguments } from './arguments.ts'
import { maskJson, maskSecrets } from './diagnose/secrets.ts'
import { KubestepError, RunError, UsageError } from './errors.ts'
import { helpText } from './help.ts'
import { commandOf } from './invocation.ts'
import type { Json } from './json.ts'
import { withFiles } from './option-files.ts'
import { type Output, openOutput } from './output.ts'
import { guardPath } from './root-path.ts'

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

/** Exit status: 0 done, 1 failed, 2 wrong usage (design, Command line). */
export async function main(made: Script, argv: readonly string[]): Promise<void> {
  // A reader that went away (`| head`) is no failure of ours.
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    process.exit(0)
  })
  const verbose = argv.includes('--verbose') || argv.includes('-v')
  let output: Output | undefined
  try {
    const parsed = withFiles(made.command.name, parseArguments(made.command, argv))
    if (parsed.flags.help) {
      process.stdout.write(helpText(made.command, parsed.subcommand))
      return
    }
    if (
      !['text', 'json', undefined].includes(parsed.flags.output) &&
      !made.command.outputs?.includes(parsed.flags.output ?? '')
    ) {
      throw new UsageError(
        `${made.command.name}: cannot write output ${JSON.stringify(parsed.flags.output)}: it is not known; use text or json`,
      )
    }
    output = openOutput(parsed.flags)
    for (const notice of guardPath()) output.warn(`${made.command.name}: ${notice}`)
    await made.run({ ...parsed, name: made.command.name, output })
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1
    output?.event('error', { text: messageOf(error, false), ...(error instanceof RunError && maskedFacts(error)) })
    process.stderr.write(`${messageOf(error, verbose)}\n`)
    if (error instanceof UsageError) process.stderr.write(`See ${commandOf(made.command.name)} --help\n`)
    // What still runs (a name that nobody resolves, a pull) would keep the process for as long as it likes.
    process.exit()
  }
}

// A fault of ours shows where it happened; one that a person can mend does so only on request.
function messageOf(error: unknown, verbose: boolean): string {
  if (!(error instanceof Error)) return maskSecrets(String(error))
  return maskSecrets(error instanceof KubestepError && !verbose ? error.message : (error.stack ?? error.message))
}

function maskedFacts({ facts }: RunError): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, maskJson(value, maskSecrets)]))
}
