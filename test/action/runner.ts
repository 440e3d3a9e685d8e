/**
 * A small runner that plays GitHub's: it reads action.yml, fills in inputs, gives the files for outputs, environment,
 * path, state and summary, runs main and later post, and cancels as the real one does.
 */
import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from '../../lib/base/yaml.ts'
import { readPairs } from './commands.ts'
import { readLog, type StepLog } from './log.ts'

export const ACTION_FOLDER: string = fileURLToPath(new URL('../..', import.meta.url))

export type JobStatus = 'success' | 'failure' | 'cancelled'

export interface JobOptions {
  /** `with:` of the step. */
  readonly inputs?: Readonly<Record<string, string>>
  /** Environment of the runner besides what it always has. */
  readonly environment?: Readonly<Record<string, string>>
  /** User and group of the runner; those of this process when left out. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly home: string }
  /** Where the action was checked out to. */
  readonly actionFolder?: string
  /** Beginning of the name of the job's folder; with a blank in it when left out. */
  readonly name?: string
  /** Words before the command of a step, e.g. `setpriv` and its options. */
  readonly wrapper?: readonly string[]
  /** Files for commands that this runner does not have, e.g. `GITHUB_OUTPUT`. */
  readonly without?: readonly string[]
  /** Called with the folder of the workspace before the first step. */
  readonly prepare?: (workspace: string) => void
}

export interface StepOptions {
  /** Cancels (SIGINT, SIGTERM after 7.5 s, SIGKILL after 2.5 s more) or kills after so many milliseconds. */
  readonly end?: { readonly how: 'cancel' | 'kill'; readonly afterMs: number }
  /** The same as soon as this appears in the raw log. */
  readonly endAt?: { readonly how: 'cancel' | 'kill'; readonly text: RegExp }
  /** The same as soon as this holds; it is asked every 10 ms. */
  readonly endWhen?: { readonly how: 'cancel' | 'kill'; readonly reached: () => boolean }
}

export interface Step extends StepLog {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly raw: string
  readonly outputs: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  readonly path: readonly string[]
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  readonly milliseconds: number
}

export interface Job {
  readonly workspace: string
  readonly temp: string
  readonly main: (options?: StepOptions) => Promise<Step>
  /** With the state that main left, and the environment that steps before made. */
  readonly post: (status: JobStatus, options?: StepOptions) => Promise<Step>
  /** Removes the folders of the job. */
  readonly end: () => void
}

interface Metadata {
  readonly inputs: Readonly<Record<string, { readonly default?: string | boolean }>>
  readonly runs: Readonly<Record<'using' | 'main' | 'post' | 'post-if', string>>
}

const FILES: readonly string[] = ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY']
const [TERM_AFTER_MS, KILL_AFTER_MS] = [7500, 2500]

/** Node 24, as the action declares: the one that runs this, else the one that the tests install. */
export function actionNode(): string | undefined {
  if (Number(process.versions.node.split('.')[0]) >= 24 && process.versions.bun === undefined) return process.execPath
  const own = join(ACTION_FOLDER, '.cache/runtimes/node_modules/node24/bin/node')
  return existsSync(own) ? own : undefined
}

/** action.yml as a runner reads it. */
export function readMetadata(folder: string = ACTION_FOLDER): Metadata {
  return parse(readFileSync(join(folder, 'action.yml'), 'utf8')) as unknown as Metadata
}

/** Begins a job with one step, the action. */
export function openJob(options: JobOptions = {}): Job {
  const action = options.actionFolder ?? ACTION_FOLDER
  const folder = mkdtempSync(join(tmpdir(), options.name ?? 'kubestep job '))
  const [workspace, temp, files] = ['workspace', '_temp', '_files'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [workspace, temp, files]) mkdirSync(path)
  options.prepare?.(workspace)
  for (const path of [folder, workspace, temp, files]) own(path, options)
  let [state, environment, path]: [Record<string, string>, Record<string, string>, string[]] = [{}, {}, []]
  let steps = 0

  const step = async (entry: string, status: JobStatus, stepOptions: StepOptions = {}): Promise<Step> => {
    const commandFiles = Object.fromEntries(
      FILES.filter(name => !options.without?.includes(name)).map(name => {
        const file = join(files, `${name}_${++steps}`)
        writeFileSync(file, '')
        own(file, options)
        return [name, file]
      }),
    )
    const variables = {
      PATH: [...path, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
      HOME: options.user?.home ?? process.env.HOME ?? '/root',
      LANG: 'C.UTF-8',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_ACTION: 'cluster',
      RUNNER_TEMP: temp,
      RUNNER_OS: 'Linux',
      ...commandFiles,
      ...options.environment,
      ...environment,
      ...inputsOf(readMetadata(action), options.inputs ?? {}, status),
      ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
    }
    const ended = await runStep([actionNode() ?? '', join(action, entry)], variables, workspace, options, stepOptions)
    const read = (name: string): string => {
      const file = commandFiles[name]
      return file === undefined ? '' : readFileSync(file, 'utf8')
    }
    const log = readLog(ended.raw, ended.signal !== null)
    const pairs = (file: string, command: string): Record<string, string> => ({
      ...readPairs(read(file)),
      // The way of runners without the files.
      ...Object.fromEntries(
        log.commands.filter(one => one.name === command).map(one => [one.properties.name, one.value]),
      ),
    })
    const result: Step = {
      ...log,
      ...ended,
      outputs: pairs('GITHUB_OUTPUT', 'set-output'),
      environment: pairs('GITHUB_ENV', 'set-env'),
      path: read('GITHUB_PATH').split('\n').filter(Boolean),
      state: pairs('GITHUB_STATE', 'save-state'),
      summary: read('GITHUB_STEP_SUMMARY'),
    }
    state = { ...state, ...result.state }
    environment = { ...environment, ...result.environment }
    path = [...result.path, ...path]
    return result
  }
  const { runs } = readMetadata(action)
  return {
    workspace,
    temp,
    main: stepOptions => step(runs.main, 'success', stepOptions),
    post: (status, stepOptions) => step(runs.post, status, stepOptions),
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** INPUT_ variables: what was given, defaults for the rest; names that nobody declared are passed on too. */
function inputsOf(
  { inputs }: Metadata,
  given: Readonly<Record<string, string>>,
  status: JobStatus,
): Record<string, string> {
  const defaults = Object.entries(inputs).map(([name, input]) => [
    name,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the runner.
    String(input.default ?? '').replace('${{ job.status }}', status),
  ])
  const all = { ...Object.fromEntries(defaults), ...given }
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, String(value)]),
  )
}

function own(path: string, { user }: JobOptions): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid)
}

type Ended = Pick<Step, 'status' | 'signal' | 'raw' | 'milliseconds'>

function runStep(
  command: readonly string[],
  environment: Record<string, string>,
  cwd: string,
  { user, wrapper = [] }: JobOptions,
  { end, endAt, endWhen }: StepOptions,
): Promise<Ended> {
  const [program = '', ...args] = [...wrapper, ...command]
  const start = performance.now()
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user.uid, gid: user.gid }),
  })
  let raw = ''
  let over = false
  const stop = async (how: 'cancel' | 'kill'): Promise<void> => {
    if (how === 'kill') child.kill('SIGKILL')
    else {
      child.kill('SIGINT')
      await sleep(TERM_AFTER_MS, undefined, { ref: false })
      if (!over) child.kill('SIGTERM')
      await sleep(KILL_AFTER_MS, undefined, { ref: false })
      if (!over) child.kill('SIGKILL')
    }
  }
  let ending = false
  const take = (chunk: Buffer): void => {
    raw += chunk
    if (endAt === undefined || ending || !endAt.text.test(raw)) return
    ending = true
    void stop(endAt.how)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const watch =
    endWhen &&
    setInterval(() => {
      if (!endWhen.reached()) return
      clearInterval(watch)
      void stop(endWhen.how)
    }, 10)
  const timer = end === undefined ? undefined : setTimeout(() => void stop(end.how), end.afterMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Not "close": what a killed step leaves running keeps its streams open.
    child.on('exit', (status, signal) => {
      over = true
      clearTimeout(timer)
      clearInterval(watch)
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
        resolve({ status, signal, raw, milliseconds: Math.round(performance.now() - start) })
      }, 50)
    })
  })
}
