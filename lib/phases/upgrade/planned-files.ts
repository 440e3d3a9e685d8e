/** The files of this node as the new version has them, with what somebody has changed of the present ones. */
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isExternalAuthority } from '../../kubeadm/credentials/issue.ts'
import { kubeletFiles } from '../../kubeadm/kubelet/kubelet-files.ts'
import type { EtcdMember } from '../../kubeadm/manifests/command-line.ts'
import { localComponents, manifestFiles, staticPods } from '../../kubeadm/manifests/manifests.ts'
import type { ComponentName } from '../../kubeadm/manifests/static-pods.ts'
import { editText } from '../../kubeadm/upgrade/kept-edits.ts'
import { type MergedFile, mergedFile } from '../../kubeadm/upgrade/merged-file.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { HostFacts } from '../../machine/host/facts.ts'

/** What the files are rendered from. */
export interface FilePlan {
  /** As this node's present version would be set up, and as the new one is. */
  readonly from: InitConfig
  readonly to: InitConfig
  /** The same of the present kubelet and of the present addons, which may be behind, or ahead. */
  readonly kubeletFrom: InitConfig
  readonly addonsFrom: InitConfig
  readonly facts: HostFacts
  readonly read: (path: string) => string | undefined
  /** The user's patches, for the new version. */
  readonly apply: (target: string, object: JsonObject) => JsonObject
  readonly etcdMembers: readonly EtcdMember[]
  readonly isControlPlane: boolean
}

export interface PlannedFile extends MergedFile {
  readonly mode: number
  /** As it is; undefined where there is none. */
  readonly before: string | undefined
  /** Of static Pods. */
  readonly component?: ComponentName
}

/** Every file that an upgrade writes; those that stay as they are are among them. Throws like staticPod, completeKubelet. */
export function plannedFiles(plan: FilePlan): readonly PlannedFile[] {
  const manifests = plan.isControlPlane ? manifestsOf(plan) : []
  return [
    ...manifests,
    ...merged(
      plan,
      kubeletFiles(plan.kubeletFrom, plan.facts).files,
      kubeletFiles(plan.to, plan.facts, plan.apply).files,
    ),
  ]
}

function manifestsOf(plan: FilePlan): readonly PlannedFile[] {
  const { from, to, facts, read, apply, etcdMembers } = plan
  const components = localComponents(to)
  const options = { externalCa: isExternalAuthority(to, 'ca', read), etcdMembers }
  const render = (config: InitConfig, patch?: FilePlan['apply']): FileEntry[] =>
    manifestFiles(staticPods(config, facts, components, options), patch)
  return merged(plan, render(from), render(to, apply)).map((file, index) => {
    const component = components[index]
    return component === undefined ? file : { ...file, component }
  })
}

function merged(
  { read }: Pick<FilePlan, 'read'>,
  from: readonly FileEntry[],
  to: readonly FileEntry[],
): readonly PlannedFile[] {
  return to.map(({ path, mode, content }) => {
    const before = read(path)
    const base = from.find(file => file.path === path)?.content.toString()
    const texts = {
      path,
      ours: content.toString(),
      ...(base !== undefined && { base }),
      ...(before !== undefined && { theirs: before }),
    }
    return { ...mergedFile(texts), mode, before }
  })
}

/** Whether a file becomes another. */
export function isChanged({ before, content }: Pick<PlannedFile, 'before' | 'content'>): boolean {
  return before !== content
}

/** Says what somebody has changed by hand, and what becomes of it. */
export function sayEdits(files: readonly Pick<PlannedFile, 'path' | 'edits'>[], say: (line: string) => void): void {
  for (const { path, edits } of files) {
    for (const edit of edits)
      say(`[upgrade] ${edit.kept ? 'Keeping' : 'Not keeping'} what was changed in ${path}: ${editText(edit)}`)
  }
}
