/** Jobs of a workflow with the action, as an unprivileged user with sudo, and what their later steps have. */
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { actionNode, type Job, openJob, type Step } from '../action/runner.ts'
import { run, type Settings } from './programs.ts'
import { noRunnerUser, type RunnerUser } from './runner-user.ts'
import type { Target } from './targets.ts'
import type { Kubectl } from './workload.ts'

/** Why there can be none here. */
export function noJobs(): string | undefined {
  const noNode =
    actionNode() === undefined ? 'Node 24, as action.yml declares, is not here; test/run.sh installs it' : undefined
  return noRunnerUser() ?? noNode
}

/** A job; `inputs` come on top of what the target needs. */
export function jobOf(target: Target, user: RunnerUser, inputs: Readonly<Record<string, string>> = {}): Job {
  return openJob({
    user,
    inputs: { ...inputsOf(target), ...inputs },
    environment: { PATH: process.env.PATH ?? '' },
  })
}

/** The arguments that init gets for a target, as inputs. */
function inputsOf({ artifacts, args }: Target): Readonly<Record<string, string>> {
  // Made for root alone.
  chmodSync(dirname(artifacts), 0o755)
  const pairs = args.flatMap((word, index) => (word.startsWith('--') ? [[word.slice(2), args[index + 1] ?? '']] : []))
  return { artifacts, timeout: '100s', install: 'false', ...Object.fromEntries(pairs) }
}

/** A later step of the same job with the action. */
export function laterStep(
  { temp }: Job,
  { environment, path }: Step,
  user: RunnerUser,
  inputs: Readonly<Record<string, string>>,
): Job {
  const PATH = [...path, process.env.PATH].join(':')
  return openJob({ user, inputs, environment: { ...environment, PATH, RUNNER_TEMP: temp } })
}

/** How a command of the next step runs. */
export function nextStep({ temp }: Job, { environment, path }: Step, { uid }: RunnerUser): Settings {
  return { uid, environment: { ...environment, PATH: [...path, process.env.PATH].join(':'), HOME: temp } }
}

/** The kubectl that such a command finds. */
export function kubectlOf(settings: Settings): Kubectl {
  return async (...args) => {
    const { status, stdout, stderr } = await run(['kubectl', ...args], settings)
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
}
