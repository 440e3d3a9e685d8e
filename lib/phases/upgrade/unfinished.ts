/**
 * An upgrade that has begun, on disk before it changes anything: all that it writes, and all that was there. Killed at
 * any moment it is finished from here, or taken back, without asking a cluster that may not answer.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { type FileEntry, readFile, writeFiles } from '../../machine/files.ts'
import { isChanged, type PlannedFile } from './planned-files.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

const RECORD = `${LAYOUT.upgrade}/record.json`

/** A file of the node that changes. */
export type ChangedFile = Pick<PlannedFile, 'path' | 'mode' | 'before' | 'content' | 'component'>

export interface Unfinished {
  readonly request: UpgradeRequest
  readonly from: InitConfig
  readonly to: InitConfig
  /** What the addons were rendered from. */
  readonly addonsFrom: InitConfig
  readonly isControlPlane: boolean
  /** Manifests in the order in which they are replaced, then the kubelet's files. */
  readonly files: readonly ChangedFile[]
  /** Where the new kubelet waits; absent where the kubelet is none of ours. */
  readonly kubelet?: { readonly program: string }
  /** Whether this run has closed the node for new Pods. */
  readonly cordoned?: true
  /** The annotation of the Node with its runtime's socket, where this run has taken it away. */
  readonly socket?: string
  /** What the API server had before objects were put into it; absent as long as none were. */
  readonly objects?: readonly { readonly object: JsonObject; readonly before: JsonObject | null }[]
}

/** The one that has begun; undefined when there is none. Throws a KubestepError when its record is damaged. */
export function readUnfinished(): Unfinished | undefined {
  const text = readFile('/', RECORD)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Unfinished
  } catch (error) {
    throw new KubestepError(
      `upgrade: cannot read "${RECORD}": ${reasonOf(error)}; remove it when no upgrade is to be finished`,
      {
        cause: error,
      },
    )
  }
}

/** Writes it down. It holds what manifests hold, so it is root's alone. */
export function writeUnfinished(unfinished: Unfinished): void {
  const files = unfinished.files.filter(isChanged)
  writeFiles('/', [{ path: RECORD, mode: 0o600, content: JSON.stringify({ ...unfinished, files }) }])
}

/** Forgets it: the upgrade is done, or taken back. Snapshots of etcd stay. */
export function forgetUnfinished(): void {
  rmSync(RECORD, { force: true })
  for (const name of ['etcd', 'bin']) rmSync(`${LAYOUT.upgrade}/${name}`, { recursive: true, force: true })
}

/** Whether a file has its new text already. */
export function isWritten({ path, content }: ChangedFile): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === content
}

/** The file as it becomes, or as it was. */
export function entryOf({ path, mode, content }: ChangedFile): FileEntry {
  return { path, mode, content }
}
