/** What a phase is: one plain object, which its script runs alone, and init, join and upgrade have in their lists. */
import type { JsonObject } from '../base/json.ts'
import type { InitConfig } from '../base/kubeadm.ts'
import type { Command } from '../cli/arguments.ts'
import type { Call } from '../cli/script.ts'
import type { PhaseRow } from '../kubeadm/config/phase-names.ts'
import type { Issued, IssueRequest } from '../kubeadm/credentials/issue.ts'
import type { EtcdMember } from '../kubeadm/manifests/command-line.ts'
import type { ClusterObject } from '../kubeadm/objects/cluster-object.ts'
import type { ClusterAccess } from '../kubeadm/objects/join-command.ts'
import type { CertificateUpload } from '../kubeadm/objects/upload-certs-objects.ts'
import type { FileEntry } from '../machine/files.ts'
import type { HostFacts } from '../machine/host/facts.ts'

/** What phases render from: values, and how to read what is there already. */
export interface Given {
  readonly config: InitConfig
  readonly facts: HostFacts
  /** The content of a file of the host. */
  readonly read: (path: string) => string | undefined
  /** The same for credentials; a dry run leaves those of another cluster out. Objects see what the run itself makes. */
  readonly readCredential: (path: string) => string | undefined
  /** Where a file of the host really lies, or would: for messages. */
  readonly place: (path: string) => string
  /** Whether the CA's key is kept elsewhere, so that nothing can be signed here. */
  readonly externalCa: boolean
  /** Makes credentials; in a run of several phases all of them together. */
  readonly issue: (request: IssueRequest) => Promise<Issued>
  /** Puts patches, and in init the profile, over an object that is about to be written. */
  readonly apply: (target: string, object: JsonObject) => JsonObject
  /** Of an etcd that joins others: all of them, its own among them. */
  readonly etcdMembers?: readonly EtcdMember[]
  /** Every date counts from here. */
  readonly now: Date
  /** Where kubeconfigs lie; /etc/kubernetes when left out. */
  readonly kubeconfigDir?: string
  /** Whether another phase (`kubelet-start`) is part of the same run. */
  readonly runs: (phase: string) => boolean
  /** Absent: no certificates go into the cluster. */
  readonly upload?: CertificateUpload
  /** Server and CA of a cluster that lives already; else what the configuration and the run itself say. */
  readonly access?: ClusterAccess
}

/** What a phase writes, as values. */
export interface Rendered {
  readonly files: readonly FileEntry[]
  /** What is there and stays; a dry run takes it along into its folder. */
  readonly kept?: readonly FileEntry[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
  /** What the lines are about, where one line for all of them will do. */
  readonly folded?: string
  readonly warnings?: readonly string[]
}

/** What a phase puts into the cluster, as values. */
export interface Applied {
  readonly objects: readonly ClusterObject[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
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
  /** Everything it writes; `names` are its sub-phases, all of them when left out. Throws a KubestepError. */
  readonly render: (given: Given, names?: readonly string[]) => Rendered | Promise<Rendered>
}

/** A phase that puts objects into the cluster. */
export interface ApplyingPhase extends Phase {
  /** Everything it applies, in order, once the credentials are there; `names` as above. Throws a KubestepError. */
  readonly objects: (given: Given, names?: readonly string[]) => Applied
}
