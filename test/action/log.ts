/** The log of a step as a runner shows it: secrets hidden from the moment they are named, commands carried out. */
import { type Command, readCommand } from './commands.ts'

export interface Annotation {
  readonly kind: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
}

export interface StepLog {
  /** Lines as people see them. */
  readonly lines: readonly string[]
  readonly annotations: readonly Annotation[]
  /** Titles, in order. */
  readonly groups: readonly string[]
  readonly masks: readonly string[]
  readonly commands: readonly Command[]
}

/** Reads the raw output of a step; `killed` when it could not end its groups. Throws an Error for groups that do not fit together. */
export function readLog(raw: string, killed: boolean): StepLog {
  const [lines, annotations, groups, masks, commands] = [[], [], [], [], []] as [
    string[],
    Annotation[],
    string[],
    string[],
    Command[],
  ]
  const hide = (text: string): string => masks.reduce((hidden, mask) => hidden.replaceAll(mask, '***'), text)
  let open = 0
  let resumes: string | undefined
  // A runner takes more than \n for the end of a line.
  for (const line of raw.split(/\r\n|[\r\n]/)) {
    const found = readCommand(line)
    if (resumes !== undefined && found?.name === resumes) {
      resumes = undefined
      continue
    }
    const command = resumes === undefined ? found : undefined
    if (command?.name === 'stop-commands') {
      resumes = command.value
      continue
    }
    if (command === undefined) {
      lines.push(hide(line))
      continue
    }
    const { name, properties, value } = command
    commands.push(command)
    if (name === 'add-mask') masks.push(value)
    else if (name === 'group') {
      // The runner does not nest them: an open one ends where the next begins.
      if (open > 0) throw new Error(`group "${value}" begins in another one`)
      open++
      groups.push(value)
    } else if (name === 'endgroup') open--
    else if (name === 'error' || name === 'warning' || name === 'notice') {
      annotations.push({ kind: name, title: hide(properties.title ?? ''), message: hide(value) })
      lines.push(hide(value))
    } else if (name === 'debug') lines.push(hide(`##[debug]${value}`))
    if (open < 0) throw new Error('a group ends that has not begun')
  }
  if (resumes !== undefined && !killed) throw new Error('commands are not taken again at the end')
  if (open > 0 && !killed) throw new Error(`group "${groups.at(-1)}" does not end`)
  return { lines, annotations, groups, masks, commands }
}
