/** What a phase is: one plain object, which its script runs alone and init has in its list. */
import type { JsonObject } from '../base/json.ts'
import type { InitConfig } from '../base/kubeadm.ts'
import type { Command } from '../cli/arguments.ts'
import type { Call } from '../cli/script.ts'
import type { PhaseRow } from '../kubeadm/config/phase-names.ts'
import type { ClusterObject } from '../kubeadm/objects/cluster-object.ts'
import type { FileEntry } from '../machine/files.ts'
import type { HostFacts } from '../machine/host/facts.ts'

/** What phases render from: values, and how to read what is there already. */
export interface Given {
  readonly config: InitConfig
  readonly facts: HostFacts
  /** The content of a file of the host. */
  readonly read: (path: string) => string | undefined
  /** The same for credentials; a dry run leaves those of another cluster out. */
  readonly readCredential: (path: string) => string | undefined
  /** Where a file of the host really lies, or would: for messages. */
  readonly place: (path: string) => string
  /** Whether the CA's key is kept elsewhere, so that nothing can be signed here. */
  readonly externalCa: boolean
  /** Puts patches, and in init the profile, over an object that is about to be written. */
  readonly apply: (target: string, object: JsonObject) => JsonObject
  /** Every date counts from here. */
  readonly now: Date
  /** Where kubeconfigs lie; /etc/kubernetes when left out. */
  readonly kubeconfigDir?: string
}

/** What a phase writes and applies, as values. */
export interface Rendered {
  readonly files: readonly FileEntry[]
  /** What is there and stays; a dry run takes it along into its folder. */
  readonly kept?: readonly FileEntry[]
  readonly objects?: readonly ClusterObject[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
  readonly warnings?: readonly string[]
}

/** A phase of an init. */
export interface Phase extends PhaseRow {
  /** Its script: options, sub-commands, examples. */
  readonly command: Command
  /** Runs it alone: on a live host, or with --dry-run and --root into a folder. Throws a KubestepError. */
  readonly run: (call: Call) => Promise<void>
}

/** A phase that writes files of the node. */
export interface RenderingPhase extends Phase {
  /** Everything it writes, as values; `names` are its sub-phases, all of them when left out. Throws a KubestepError. */
  readonly render: (given: Given, names?: readonly string[]) => Rendered | Promise<Rendered>
}
