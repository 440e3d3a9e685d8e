/** Options whose values may be secret: `@FILE` stands for what is in the file, since a command line is there for all to see. */

import { UsageError } from '../base/errors.ts'
import { readFile } from '../machine/files.ts'
import type { Arguments } from './arguments.ts'
import { OPTIONS, type Option } from './options.ts'

/** The arguments with the contents of such files in place of their names. Throws a KubestepError. */
export function withFiles(script: string, given: Arguments): Arguments {
  const flags = Object.entries(given.flags).map(([name, value]) => {
    const option: Option = OPTIONS[name as keyof typeof OPTIONS]
    const isFile = option.secret && typeof value === 'string' && value.startsWith('@')
    return [name, isFile ? contentOf(script, name, value.slice(1), option) : value] as const
  })
  return { ...given, flags: Object.fromEntries(flags) }
}

function contentOf(script: string, name: string, path: string, { list }: Option): string {
  const text = readFile('/', path)?.trim()
  if (text === undefined || text === '') {
    const reason = text === undefined ? 'there is no such file' : 'it is empty'
    throw new UsageError(`${script}: cannot read --${name} from "${path}": ${reason}; correct the path`)
  }
  return list ? text.split(/\s*[\n,]\s*/).join(',') : text
}
