/** What the user should know of a static Pod though it is written as kubeadm writes it. */
import { posix } from 'node:path'
import { authorizationMode } from './authorization.ts'
import type { PodInput } from './command-line.ts'
import { overrideNotices } from './overrides.ts'
import type { PodOptions } from './pod.ts'
import { isRootless, rootlessNotice } from './rootless.ts'
import type { ComponentName } from './static-pods.ts'
import { volumesAndMounts } from './volumes.ts'

/** One line each; none when nothing is amiss. */
export function podNotices(component: ComponentName, input: PodInput, options: PodOptions): string[] {
  const { config } = input
  const runsAsRoot = isRootless(config) && options.rootless === undefined
  return [
    ...(component === 'kube-apiserver' ? [...authorizationMode(config).messages, ...unmountedFiles(input)] : []),
    ...overrideNotices(component, config),
    ...(runsAsRoot ? [rootlessNotice(component)] : []),
  ]
}

/**
 * Files of an external etcd that the API server could not read: kubeadm takes a folder for mounted as soon as its name
 * begins like that of a mounted one (/etc/kubernetes/pki2). Seen with kubeadm v1.36.
 */
function unmountedFiles(input: PodInput): string[] {
  const { external } = input.config.cluster.etcd
  if (external === undefined) return []
  const mounted = volumesAndMounts('kube-apiserver', input).volumeMounts.map(({ mountPath }) => String(mountPath))
  const files = [external.caFile, external.certFile, external.keyFile].filter(Boolean)
  return files
    .filter(file => !mounted.some(folder => isWithin(file, folder)))
    .map(
      file =>
        `static-pod: kube-apiserver will not see "${file}": nothing mounts its folder; add it to apiServer.extraVolumes`,
    )
}

function isWithin(file: string, folder: string): boolean {
  return !posix.relative(folder, file).startsWith('..')
}
