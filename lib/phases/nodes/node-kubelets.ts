/** Kubelets of other versions than the cluster's, for nodes of this machine that are to have one. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { architecture } from '../../base/platform.ts'
import { commandOf } from '../../cli/invocation.ts'
import type { Flags } from '../../cli/options.ts'
import type { NodeSpec } from '../../kubeadm/node-list/node-spec.ts'
import { $ } from '../../machine/command.ts'
import { bringComponents } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetch-options.ts'
import { programFault } from '../../supply/fetch/program.ts'

/** Paths by version, as soon as they are there. */
export type OtherKubelets = ReadonlyMap<string, Promise<string>>

export function otherVersions(nodes: readonly NodeSpec[], cluster: string): string[] {
  return [...new Set(nodes.flatMap(({ version = cluster }) => (version === cluster ? [] : [version])))]
}

/**
 * Gets them from beside the folder of --artifacts, the cache or the network. What can be known before anything begins is
 * said: throws a KubestepError with every fault.
 */
export async function otherKubelets(
  versions: readonly string[],
  flags: Flags,
  deadline: AbortSignal,
): Promise<OtherKubelets> {
  const { artifacts, offline } = flags
  if (artifacts !== undefined) {
    const paths = await kubeletsBeside(resolve(artifacts), versions)
    return new Map(versions.map((version, index) => [version, Promise.resolve(paths[index] ?? '')]))
  }
  const fetching = fetchingOf(flags, deadline, () => {})
  const coming = versions.map(version => {
    const parts = bringComponents({ ...fetching, version, arch: architecture(), besides: [], deadline })
    const path = parts.programs.then(({ kubelet }) => kubelet)
    // Who joins says so, if it does not come.
    path.catch(() => {})
    return [version, path] as const
  })
  if (offline) await Promise.all(coming.map(([, path]) => path))
  return new Map(coming)
}

/** A folder of each version is beside the one of the cluster's, or in it. Throws a KubestepError with every fault. */
export async function kubeletsBeside(folder: string, versions: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    versions.map(async version => {
      const inside = join(folder, version, 'bin/kubelet')
      const beside = join(dirname(folder), version, 'bin/kubelet')
      const path = [beside, inside].find(one => existsSync(one))
      return { path, fault: await faultOf(version, path, beside) }
    }),
  )
  const faults = found.flatMap(({ fault }) => fault ?? [])
  if (faults.length > 0) throw new KubestepError(faults.join('\n'))
  return found.map(({ path = '' }) => path)
}

async function faultOf(version: string, path: string | undefined, place: string): Promise<string | undefined> {
  const head = `components: cannot have nodes of Kubernetes ${version}`
  if (path === undefined) {
    const folder = dirname(dirname(place))
    return `${head}: "${place}" is missing: put its kubelet there; ${commandOf('bundle')} --kubernetes-version ${version} --output-dir ${folder} makes such a folder`
  }
  const fault = programFault(path, architecture())
  if (fault !== undefined) return `${head}: ${fault}`
  const { stdout } = await $({ nothrow: true, timeout: VERSION_LIMIT_MS })`${path} --version`
  const says = /\bv\d+\.\d+\.\d+\S*/.exec(stdout)?.[0]
  return says === undefined || says === version
    ? undefined
    : `${head}: "${path}" says that it is ${says}; put that of ${version} there`
}

const VERSION_LIMIT_MS = 10_000
