/** What a runner tells an action by its environment. Every variable may be missing: act, Gitea and Forgejo set fewer. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/** What plays the runner. */
export type Runner = 'github' | 'gitea' | 'forgejo' | 'act' | 'unknown'

/** Source: the environments of nektos/act, Gitea's act_runner and Forgejo's runner, 2026. */
export function runnerOf(environment: Environment): Runner {
  if (environment.FORGEJO_ACTIONS === 'true') return 'forgejo'
  if (environment.GITEA_ACTIONS === 'true') return 'gitea'
  if (environment.ACT === 'true') return 'act'
  return environment.GITHUB_ACTIONS === 'true' ? 'github' : 'unknown'
}

/** Runners on which the inputs of an action around this one reach us too, so that unknown ones say nothing. */
export function leaksInputs(environment: Environment): boolean {
  return !['github', 'unknown'].includes(runnerOf(environment))
}

/** Where the files of this job lie. */
export interface Places {
  readonly workspace: string
  /** Ours; gone with the job. */
  readonly folder: string
  readonly kubeconfig: string
  readonly caCert: string
  readonly bin: string
  readonly logs: string
  readonly config: string
  /** The same of a list of nodes, and of kind's file. */
  readonly nodes: string
  readonly kindConfig: string
  /** Mirrors with passwords, which are not for a command line. */
  readonly mirrors: string
  /** What the cache service keeps: the cache folder of init. */
  readonly components: string
}

/** Where things go; `workspace` is the folder that relative paths begin at. */
export function placesOf(environment: Environment): Places {
  const folder = join(environment.RUNNER_TEMP || tmpdir(), 'kubestep')
  return {
    workspace: environment.GITHUB_WORKSPACE || process.cwd(),
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    caCert: join(folder, 'ca.crt'),
    bin: join(folder, 'bin'),
    logs: join(folder, 'logs'),
    config: join(folder, 'kubeadm.yaml'),
    nodes: join(folder, 'nodes.yaml'),
    kindConfig: join(folder, 'kind.yaml'),
    mirrors: join(folder, 'mirrors'),
    components: join(folder, 'components'),
  }
}

/** Whether more is to be said; the runner sets it when the repository has ACTIONS_STEP_DEBUG. */
export function isDebug(environment: Environment): boolean {
  return environment.RUNNER_DEBUG === '1' || environment.ACTIONS_STEP_DEBUG === 'true'
}

/** Whether there is a cache service that this step may use. */
export function hasCacheService(environment: Environment): boolean {
  const url = environment.ACTIONS_RESULTS_URL || environment.ACTIONS_CACHE_URL
  return Boolean(url && environment.ACTIONS_RUNTIME_TOKEN)
}
