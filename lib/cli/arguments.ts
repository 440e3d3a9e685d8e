/** Command lines: from argv to flags and a sub-command, with every fault of it at once. */
import { parseArgs } from 'node:util'
import { UsageError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { type Option, placeholderOf } from './option.ts'
import { valueFaults } from './option-values.ts'
import { COMMON, type Flags, OPTIONS, type OptionName } from './options.ts'
import { foreignOption, withoutVerbosity } from './typing-habits.ts'

export interface Subcommand {
  /** One word, or several: `print init-defaults`. */
  readonly name: string
  readonly about: string
  /** Options of this sub-command alone; the script's own ones when left out. */
  readonly options?: readonly OptionName[]
  /** What stands for its arguments in `--help`; the script's own when left out. */
  readonly positionals?: string
}

/** A script as data. */
export interface Command {
  readonly name: string
  /** One sentence. */
  readonly about: string
  readonly options: readonly OptionName[]
  /** The first one is the default unless `needsSubcommand`. */
  readonly subcommands?: readonly Subcommand[]
  readonly needsSubcommand?: true
  /** What is no sub-command is an argument of the first one. */
  readonly mayNameNone?: true
  /** What stands for positional arguments in `--help`; without it there may be none. */
  readonly positionals?: string
  /** Values of `--output` besides text and json, e.g. yaml. */
  readonly outputs?: readonly string[]
  /** Lines of arguments after `npx zx scripts/`, e.g. `certs.mts all --dry-run`. */
  readonly examples: readonly string[]
}

export interface Arguments {
  readonly flags: Flags
  /** Name of the chosen sub-command; empty when the script has none. */
  readonly subcommand: string
  readonly positionals: readonly string[]
}

/** Reads a command line (without `node` and the script). Throws a UsageError that lists all faults. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const faults: string[] = []
  const { values, positionals } = split(command, argv, faults)
  const subcommand = chooseSubcommand(command, positionals)
  if (subcommand === undefined && values.help !== true) faults.push(subcommandFault(command, positionals))
  const rest = positionals.slice(subcommand === undefined ? 0 : wordsUsed(subcommand, positionals))
  if (subcommand !== undefined && rest.length > 0 && positionalsOf(command, subcommand) === undefined) {
    const named = positionals.length > rest.length ? subcommand.name : ''
    faults.push(`cannot take argument ${JSON.stringify(rest[0])}: ${positionalHint(command, named, rest[0] ?? '')}`)
  }
  const allowed = new Set<string>([...optionsOf(command, subcommand), ...COMMON])
  for (const name of Object.keys(values)) {
    if (!allowed.has(name)) faults.push(unknownOption(`--${name}`, [...allowed]))
  }
  if (faults.length > 0 && values.help !== true) {
    throw new UsageError(faults.map(fault => `${command.name}: ${fault}`).join('\n'))
  }
  return { flags: values, subcommand: subcommand?.name ?? '', positionals: rest }
}

/** The options a script, or one sub-command of it, takes besides the common ones. */
export function optionsOf(command: Command, subcommand?: Subcommand): readonly OptionName[] {
  return subcommand?.options ?? command.options
}

/** What stands for the arguments of a script, or of one sub-command of it; undefined where it takes none. */
export function positionalsOf(command: Command, subcommand?: Subcommand): string | undefined {
  return subcommand?.positionals ?? command.positionals
}

type Values = { -readonly [Name in keyof Flags]: Flags[Name] }

function split(command: Command, argv: readonly string[], faults: string[]): { values: Values; positionals: string[] } {
  const values: Record<string, string | boolean> = {}
  const positionals: string[] = []
  const known: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [name, { type, short }] of Object.entries<Option>(OPTIONS)) {
    known[name] = short === undefined ? { type } : { type, short }
  }
  const { tokens } = parseArgs({
    args: withoutVerbosity(argv),
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const allowed = [
    ...new Set([...command.options, ...(command.subcommands ?? []).flatMap(sub => sub.options ?? []), ...COMMON]),
  ]
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const option: Option | undefined = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as OptionName] : undefined
    if (option === undefined) faults.push(unknownOption(rawName, allowed))
    else if (option.type === 'boolean') values[name] = booleanValue(rawName, value, faults)
    else if (value === undefined || (token.inlineValue !== true && isOption(value)))
      faults.push(`cannot read ${rawName}: it needs a value; write ${rawName}=${placeholderOf(option)}`)
    else values[name] = option.list && values[name] !== undefined ? `${values[name]},${value}` : value
  }
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') continue
    const wrong = valueFaults(OPTIONS[name as OptionName], value, name === 'output' ? command.outputs : [])
    faults.push(...wrong.map(fault => `cannot use --${name} ${JSON.stringify(value)}: ${fault}`))
  }
  return { values: values as Values, positionals }
}

// What follows is an option when the value was forgotten, or was a variable that is empty.
function isOption(value: string): boolean {
  return value.startsWith('--') && Object.hasOwn(OPTIONS, value.slice(2).split('=')[0] ?? '')
}

// pflag also takes --flag=false.
function booleanValue(name: string, value: string | undefined, faults: string[]): boolean {
  if (value === undefined || value === 'true') return true
  if (value !== 'false')
    faults.push(`cannot read ${name} ${JSON.stringify(value)}: it is a switch; write ${name} or ${name}=false`)
  return false
}

function chooseSubcommand(command: Command, positionals: readonly string[]): Subcommand | undefined {
  const subcommands = command.subcommands
  if (subcommands === undefined) return { name: '', about: command.about }
  const matches = subcommands.filter(sub => wordsUsed(sub, positionals) > 0)
  const best = matches.sort((a, b) => b.name.length - a.name.length)[0]
  if (best !== undefined) return best
  if ((positionals.length === 0 || command.mayNameNone) && !command.needsSubcommand) return subcommands[0]
  return undefined
}

function wordsUsed(subcommand: Subcommand, positionals: readonly string[]): number {
  const words = subcommand.name === '' ? [] : subcommand.name.split(' ')
  return words.every((word, index) => positionals[index] === word) ? words.length : 0
}

function subcommandFault(command: Command, positionals: readonly string[]): string {
  const names = (command.subcommands ?? []).map(sub => sub.name)
  if (positionals.length === 0) return `cannot run: it needs one of: ${names.join(', ')}`
  const given = positionals.join(' ')
  const next = names.flatMap(name => (name.startsWith(`${given} `) ? name.slice(given.length + 1) : []))
  if (next.length > 0) return `cannot run ${JSON.stringify(given)}: it needs one more word of: ${next.join(', ')}`
  const hint = nearest(given, names) ?? nearest(positionals[0] ?? '', names)
  return `cannot find sub-command ${JSON.stringify(given)}: ${hint === undefined ? `use one of ${names.join(', ')}` : `did you mean ${JSON.stringify(hint)}?`}`
}

function positionalHint(command: Command, named: string, given: string): string {
  if (/^(?:true|false)$/.test(given)) return `write the value of a switch behind =, as in --dry-run=${given}`
  if (named !== '') return `${JSON.stringify(named)} takes options only; see --help`
  const subcommands = (command.subcommands ?? []).map(sub => sub.name)
  if (subcommands.length > 0) return `one of ${subcommands.join(', ')} may be named, and nothing else`
  const hint = nearest(given, command.options)
  return hint === undefined ? 'this script takes options only; see --help' : `did you mean --${hint}?`
}

function unknownOption(name: string, allowed: readonly string[]): string {
  const word = name.replace(/^-+/, '')
  const hint = nearest(word, allowed)
  const advice = foreignOption(word, allowed) ?? (hint === undefined ? 'see --help' : `did you mean --${hint}?`)
  return `cannot take option ${JSON.stringify(name)}: it is unknown here; ${advice}`
}
