/** A user as hosted runners have one: not root, with sudo that asks for no password. Gone when the tests end. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { which } from '../../lib/machine/command.ts'

export interface RunnerUser {
  readonly uid: number
  readonly gid: number
  readonly home: string
}

const NAME = 'kubestep-test'
const RULE = `/etc/sudoers.d/${NAME}`

/** Why there cannot be one here. */
export function noRunnerUser(): string | undefined {
  const missing = ['sudo', 'useradd', 'userdel'].find(program => which(program) === undefined)
  return missing === undefined ? undefined : `${missing} is not installed`
}

/** Makes the user. */
export function makeRunnerUser(): RunnerUser {
  const home = '/nonexistent'
  remove()
  execFileSync('useradd', ['--system', '--no-create-home', '--home-dir', home, NAME])
  // The tests may have brought their own containerd.
  const rule = `${NAME} ALL=(ALL) NOPASSWD:SETENV: ALL\nDefaults:${NAME} secure_path="${process.env.PATH}"\n`
  writeFileSync(RULE, rule, { mode: 0o440 })
  process.once('exit', remove)
  const id = (option: string): number => Number(execFileSync('id', [option, NAME], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g'), home }
}

function remove(): void {
  rmSync(RULE, { force: true })
  try {
    execFileSync('userdel', [NAME], { stdio: 'ignore' })
  } catch {
    // There was none.
  }
}
