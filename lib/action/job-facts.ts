/** Reads what refusals are decided from. Cheap: a few files, and one sudo. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readTextOrEmpty } from '../machine/files.ts'
import type { JobFacts } from './refusals.ts'
import { asRoot } from './run-as-root.ts'
import { type Environment, runnerOf } from './runner-environment.ts'

/** What a node's root has to be able to do. Source: capabilities(7). */
const CAPABILITIES: readonly (readonly [name: string, number: bigint])[] = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_SYS_ADMIN', 21n],
]

/** Files that container runtimes put into every container. */
const CONTAINER_MARKS: readonly string[] = ['/.dockerenv', '/run/.containerenv']

/** The facts of this job. */
export function readJobFacts(environment: Environment): JobFacts {
  const isRoot = process.getuid?.() === 0
  const isLinux = process.platform === 'linux'
  const missingCapabilities = isLinux ? missingFrom(readTextOrEmpty('/proc/self/status')) : []
  const sudoFault = isRoot || !isLinux ? undefined : askSudo()
  return {
    inWorkflow: runnerOf(environment) !== 'unknown',
    platform: process.platform,
    arch: process.arch,
    nodeMajor: Number(process.versions.node.split('.')[0]),
    isRoot,
    ...(sudoFault !== undefined && { sudoFault }),
    inContainer:
      CONTAINER_MARKS.some(mark => existsSync(mark)) ||
      environment.KUBERNETES_SERVICE_HOST !== undefined ||
      missingCapabilities.length > 0,
    // Where the runner mounts the workspace and its own Node in the container of a job.
    containerJob: [environment.GITHUB_WORKSPACE ?? '', process.execPath].some(path => /^\/__[we]\//.test(path)),
    missingCapabilities,
    cgroupsWritable: !isLinux || mayMakeCgroups(readTextOrEmpty('/proc/self/mountinfo')),
  }
}

/** Capabilities of a node that are not in the bounding set of /proc/self/status: root cannot get them either. */
export function missingFrom(status: string): string[] {
  const bits = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (bits === undefined) return []
  return CAPABILITIES.filter(([, number]) => ((BigInt(`0x${bits}`) >> number) & 1n) === 0n).map(([name]) => name)
}

/** Whether any hierarchy in the text of /proc/self/mountinfo is mounted for writing. */
export function mayMakeCgroups(mountinfo: string): boolean {
  return mountinfo.split('\n').some(line => {
    const [mount = '', source = ''] = line.split(' - ')
    return /^cgroup2? /.test(source) && (mount.split(' ')[5] ?? '').split(',').includes('rw')
  })
}

function askSudo(): string | undefined {
  // Exactly as it will be called: a rule may allow commands and no variables.
  const [program = '', ...args] = asRoot(['true'], false)
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  if (error !== undefined) return 'it needs root, this user is not, and there is no sudo'
  return status === 0 ? undefined : `it needs root, and sudo says "${stderr.trim().split('\n').at(-1) ?? ''}"`
}
