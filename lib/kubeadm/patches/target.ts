/** What can be patched, and what a patch file's name says. */
import type { Since } from '../../base/version.ts'

export type PatchTarget =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubeletconfiguration'
  | 'corednsdeployment'

export type PatchType = 'strategic' | 'merge' | 'json'

const CONTROL_PLANE: readonly PatchTarget[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']

/** Source: kubeadm util/patches/patches.go (v1.19, v1.25, v1.31). */
export const PATCH_TARGETS: Since<readonly PatchTarget[]> = {
  '1.18': CONTROL_PLANE,
  '1.25': [...CONTROL_PLANE, 'kubeletconfiguration'],
  '1.31': [...CONTROL_PLANE, 'kubeletconfiguration', 'corednsdeployment'],
}

/** In the order in which kubeadm lists them. */
const TYPES: readonly PatchType[] = ['json', 'merge', 'strategic']
const EXTENSIONS: readonly string[] = ['json', 'yaml']

/** The media types that kubeadm names in its messages. */
export const MEDIA_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

/** What a file name says: a patch, that the file is none (`ignored`: why), or that it is meant as one but wrong. */
export type FileName =
  | { readonly target: PatchTarget; readonly type: PatchType }
  | { readonly ignored: string }
  | { readonly wrong: string }

/**
 * Reads `target[suffix][+patchtype].extension`. What follows the patch type, and a dot after the target, mean nothing.
 * Source: kubeadm util/patches/patches.go, parseFilename (v1.36).
 */
export function parseFileName(name: string, targets: readonly PatchTarget[]): FileName {
  if (!new RegExp(`.\\.(${EXTENSIONS.join('|')})$`).test(name)) {
    return { ignored: `the file extension must be one of [${EXTENSIONS.join(' ')}]` }
  }
  const pattern = new RegExp(`^(${targets.join('|')})[^.+\\n]*(\\+)?(${TYPES.join('|')})?`)
  const [, target, plus, type] = pattern.exec(name) ?? []
  if (target === undefined) return { ignored: `unknown target, must be one of [${targets.join(' ')}]` }
  if (plus !== undefined && type === undefined) {
    return { wrong: `unknown or missing patch type after "+"; it must be one of ${TYPES.join(', ')}` }
  }
  return { target: target as PatchTarget, type: (type as PatchType | undefined) ?? 'strategic' }
}
