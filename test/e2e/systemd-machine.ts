/** A machine with systemd as PID 1 that is made for the tests (systemd-machine.sh), and test files that run on it. */
import { fileURLToPath } from 'node:url'
import { actionNode } from '../action/runner.ts'
import { type Ended, here, run } from './programs.ts'

/** Marks the machine: what tests do to it harms nobody. */
export const OWN_MACHINE = 'KUBESTEP_E2E_OWN_MACHINE'

const CHECKOUT = '/kubestep'

/** Folders of artifacts by the variable that names them, with a colon between them. */
const FOLDERS: readonly string[] = ['KUBESTEP_E2E_DEBIAN', 'KUBESTEP_E2E_ARTIFACTS']
const PASSED_ON: readonly string[] = ['KUBESTEP_E2E', 'KUBESTEP_E2E_ROUNDS']

/** What a test needs of this machine. */
interface Given {
  /** `OUTSIDE:INSIDE` */
  readonly binds: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

export interface SystemdMachine {
  /** A test file on it; its standard output is TAP. */
  readonly runFile: (name: string, environment?: Readonly<Record<string, string>>) => Promise<Ended>
  readonly down: () => Promise<void>
}

/** Starts the machine; a text is why there cannot be one here. */
export async function startSystemdMachine(): Promise<SystemdMachine | string> {
  const node = actionNode()
  if (node === undefined) return 'Node 24, as action.yml declares, is not here; test/run.sh installs it'
  const { binds, environment } = givenOf(process.env)
  const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
  const up = await script('up', `${checkout}:${CHECKOUT}`, `${node}:/usr/local/bin/node`, ...binds)
  if (up.status === 77) return up.stderr.trim().split('\n').at(-1) ?? ''
  if (up.status !== 0) throw new Error(up.stderr)
  return {
    runFile: (name, more = {}) => {
      const settings = Object.entries({ ...environment, ...more }).map(pair => `--setenv=${pair.join('=')}`)
      const test = ['node', '--test', '--test-reporter=tap', `test/e2e/${name}`]
      return script('run', `--working-directory=${CHECKOUT}`, ...settings, ...test)
    },
    down: async () => {
      const { status, stderr } = await script('down')
      if (status !== 0) throw new Error(stderr)
    },
  }
}

function givenOf(environment: NodeJS.ProcessEnv): Given {
  const folders = FOLDERS.flatMap(name => {
    const outside = (environment[name] ?? '').split(':').filter(Boolean)
    const pairs = outside.map((path, index) => [path, `/artifacts/${name.toLowerCase()}-${index}`] as const)
    return pairs.length === 0 ? [] : { name, pairs }
  })
  return {
    binds: folders.flatMap(({ pairs }) => pairs.map(pair => pair.join(':'))),
    environment: {
      KUBESTEP_CACHE: '/cache',
      [OWN_MACHINE]: '1',
      ...Object.fromEntries(folders.map(({ name, pairs }) => [name, pairs.map(([, inside]) => inside).join(':')])),
      ...Object.fromEntries(PASSED_ON.flatMap(name => (environment[name] ? [[name, environment[name]]] : []))),
    },
  }
}

function script(...args: readonly string[]): Promise<Ended> {
  return run(['bash', here('systemd-machine.sh'), ...args], { loud: true })
}
