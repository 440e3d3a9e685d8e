/** One option of a script: what it means, what it takes, and how help and docs show that. */

export interface Option {
  readonly type: 'string' | 'boolean'
  /** One sentence, lower case, no full stop. */
  readonly about: string
  /** What stands for the value in `--help`; the choices do without. */
  readonly value?: string
  /** Every value that it takes: parsing checks them, `--help` and docs show them. */
  readonly choices?: readonly string[]
  /** What values beside the choices, or without any, look like. */
  readonly reads?: Reading
  /** Words that people bring along from elsewhere, as regular expressions, and what they want to know here. */
  readonly hints?: readonly (readonly [word: string, advice: string])[]
  /** Shown in `--help`; the code that uses the option applies it. */
  readonly default?: string
  /** May be repeated; the values are joined with commas, as kubeadm's slices are. */
  readonly list?: true
  readonly short?: string
  /** The value may hold a secret: `@FILE` is what stands in the file, for a command line is there for all to see. */
  readonly secret?: true
}

/** What a value is read as. */
export type Reading = 'duration' | 'count' | 'nodes' | 'socket' | 'registry'

/** What stands for an option's value in help and docs; '' for a switch. */
export function placeholderOf({ value, choices }: Option): string {
  return value ?? choices?.join('|') ?? ''
}

/** The meaning of an option in a sentence, with its choices where their names do not stand for the value already. */
export function meaningOf({ about, value, choices }: Option): string {
  return choices === undefined || value === undefined || value.includes('|')
    ? about
    : about.replace(/( \(ours\))?$/, `: ${choices.join(', ')}$1`)
}
