/** Where the action cannot work: found in the first second, each with what to change. */
import { ARCHITECTURES } from '../base/platform.ts'

/** What this machine and this job are. */
export interface JobFacts {
  /** Whether anything like a runner has started this. */
  readonly inWorkflow: boolean
  readonly platform: string
  /** As Node calls it. */
  readonly arch: string
  readonly nodeMajor: number
  readonly isRoot: boolean
  /** Why sudo does not work without a password; undefined when it does, or when there is no need of it. */
  readonly sudoFault?: string
  /** Whether this process lies in a container. */
  readonly inContainer: boolean
  /** Whether the workflow asked for the container, with `container:`. */
  readonly containerJob: boolean
  /** Capabilities that a root user here lacks. */
  readonly missingCapabilities: readonly string[]
  /** Whether control groups may be made. */
  readonly cgroupsWritable: boolean
}

export interface Refusal {
  readonly name: string
  /** When, for the README. */
  readonly when: string
  /** What to change. */
  readonly advice: string
  /** Why not; undefined when it does not apply. */
  readonly reason: (facts: JobFacts) => string | undefined
}

const OLDEST_NODE = 20

export const REFUSALS: readonly Refusal[] = [
  {
    name: 'workflow',
    when: 'outside of a workflow',
    advice: 'run the init script itself',
    reason: ({ inWorkflow }) =>
      inWorkflow ? undefined : 'this is the entry of the action, and no runner has started it',
  },
  {
    name: 'platform',
    when: 'macOS and Windows runners',
    advice: 'use runs-on: ubuntu-24.04',
    reason: ({ platform }) =>
      platform === 'linux' ? undefined : `Kubernetes nodes are Linux, this runner is ${platform}`,
  },
  {
    name: 'architecture',
    when: `processors other than ${ARCHITECTURES.map(({ go }) => go).join(', ')}`,
    advice: 'use such a runner, e.g. runs-on: ubuntu-24.04-arm',
    reason: ({ arch }) =>
      ARCHITECTURES.some(({ node }) => node === arch) ? undefined : `there is no Kubernetes for "${arch}"`,
  },
  {
    name: 'node',
    when: `runners whose Node is older than ${OLDEST_NODE}`,
    advice: 'update the runner (2.327.1 brings Node 24; elsewhere, install Node 24)',
    reason: ({ nodeMajor }) => (nodeMajor >= OLDEST_NODE ? undefined : `it runs on Node ${nodeMajor}`),
  },
  {
    name: 'container-job',
    when: 'jobs with `container:` that has not the rights of a node',
    advice:
      'take container: out of the job; steps that need that image can use it with docker run --network host, or uses: docker://IMAGE',
    reason: ({ containerJob, ...facts }) => (containerJob ? lackOf(facts) : undefined),
  },
  {
    name: 'container',
    when: 'runners that are containers without those rights, as ubuntu-slim and most runners on Kubernetes are',
    advice:
      'use a runner that is a virtual machine, e.g. runs-on: ubuntu-24.04; with act, Gitea or Forgejo one of the host, or with privileged containers',
    reason: ({ containerJob, inContainer, ...facts }) => (inContainer && !containerJob ? lackOf(facts) : undefined),
  },
  {
    name: 'sudo',
    when: 'users who are not root and have no sudo without a password',
    advice: 'let the user of the runner use sudo without a password, or run it as root',
    reason: ({ isRoot, sudoFault }) => (isRoot || sudoFault === undefined ? undefined : sudoFault),
  },
]

function lackOf({
  missingCapabilities,
  cgroupsWritable,
}: Pick<JobFacts, 'missingCapabilities' | 'cgroupsWritable'>): string | undefined {
  if (missingCapabilities.length > 0) return `the job runs in a container without ${missingCapabilities.join(' and ')}`
  return cgroupsWritable ? undefined : 'the job runs in a container that may not make control groups'
}

/** Every refusal that applies, one line each. */
export function refusals(facts: JobFacts): string[] {
  return REFUSALS.flatMap(({ advice, reason }) => {
    const why = reason(facts)
    return why === undefined ? [] : [`action: cannot bring up a cluster here: ${why}; ${advice}`]
  })
}
