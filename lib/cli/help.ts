/** The text of `--help`, from the same tables that parse the command line. */
import { type Command, optionsOf, positionalsOf, type Subcommand } from './arguments.ts'
import { commandOf } from './invocation.ts'
import { meaningOf, type Option, placeholderOf } from './option.ts'
import { COMMON, OPTIONS, type OptionName } from './options.ts'

/** Help for a script; for one of its sub-commands when that was named, and is not what the script does without. */
export function helpText(command: Command, subcommandName = ''): string {
  const { subcommands = [], needsSubcommand } = command
  const chosen = subcommands.find(sub => sub.name === subcommandName)
  const named = chosen === subcommands[0] && !needsSubcommand ? undefined : chosen
  const options = chosen === undefined ? allOptions(command) : optionsOf(command, chosen)
  const examples = command.examples.filter(
    example => named === undefined || `${example} `.startsWith(`${command.name}.mts ${named.name} `),
  )
  const words = [
    commandOf(command.name),
    named?.name ?? usageOfSubcommand(command),
    positionalsOf(command, chosen) ?? '',
    '[options]',
  ].filter(Boolean)
  return [
    named === undefined ? command.about : `${named.about}.`,
    '',
    'Usage:',
    `  ${words.join(' ')}`,
    ...(named === undefined ? subcommandSection(command) : []),
    ...section('Options:', options.map(optionRow)),
    ...section('Common options:', COMMON.map(optionRow)),
    ...(examples.length === 0 ? [] : ['', 'Examples:']),
    ...examples.map(example => `  ${example.replace(/^([\w-]+)\.mts/, (_, name: string) => commandOf(name))}`),
    '',
  ].join('\n')
}

function subcommandSection(command: Command): readonly string[] {
  const { subcommands = [], name } = command
  const rows = subcommands.map((sub, index) => [sub.name, aboutSubcommand(command, sub, index)] as const)
  const hasOwn = subcommands.some(({ options }) => options !== undefined)
  const note = `Options of one alone: ${commandOf(name)} SUB-COMMAND --help`
  return [...section('Sub-commands:', rows), ...(hasOwn ? ['', note] : [])]
}

function usageOfSubcommand(command: Command): string {
  if (command.subcommands === undefined) return ''
  return command.needsSubcommand ? 'SUB-COMMAND' : '[SUB-COMMAND]'
}

function aboutSubcommand(command: Command, subcommand: Subcommand, index: number): string {
  return index === 0 && !command.needsSubcommand ? `${subcommand.about} (default)` : subcommand.about
}

function allOptions(command: Command): readonly OptionName[] {
  return [...new Set([...command.options, ...(command.subcommands ?? []).flatMap(sub => sub.options ?? [])])]
}

function optionRow(name: OptionName): readonly [string, string] {
  const option: Option = OPTIONS[name]
  const short = option.short === undefined ? '    ' : `-${option.short}, `
  const value = placeholderOf(option) === '' ? '' : ` ${placeholderOf(option)}`
  const fallback = option.default === undefined ? '' : ` (default: ${option.default})`
  return [`${short}--${name}${value}`, `${meaningOf(option).replace(OURS, NOT_IN_KUBEADM)}${fallback}`]
}

/** How the table of options marks what kubeadm has not, and how it reads here. */
const OURS = / \(ours\)$/
const NOT_IN_KUBEADM = ' (not in kubeadm)'

const WIDEST = 48

function section(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  if (rows.length === 0) return []
  const width = Math.min(WIDEST, Math.max(...rows.map(([left]) => left.length)))
  return ['', title, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)]
}
