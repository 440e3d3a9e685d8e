/** What cluster objects are made from besides the configuration. */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import type { ApplyPatches } from '../kubelet/kubelet-files.ts'

/** What upload-certs needs. */
export interface CertificateUpload {
  /** The certificate key: 64 hex digits. */
  readonly key: string
  /** A bootstrap token, `id.secret`, whose end takes the uploaded certificates along. */
  readonly token: string
  /** The content of a file of the host; undefined when there is none. */
  readonly read: (path: string) => string | undefined
  /** Random bytes; only tests give their own. */
  readonly random?: (size: number) => Uint8Array
}

export interface ObjectInputs {
  /** PEM of the cluster's CA, as admin.conf carries it; it may hold several certificates. */
  readonly caCertificate: string
  /** Where clients find the API server, when admin.conf says something else than the configuration. */
  readonly server?: string
  /** Expiry times count from here. */
  readonly now: Date
  /** Absent: the certificates are not uploaded. */
  readonly upload?: CertificateUpload
  readonly apply?: ApplyPatches
  /** False when kubelet-start does not run in the same init: 1.31 and later then leave resolvConf out of the ConfigMap. */
  readonly kubeletStarted?: boolean
}

/** Everything a phase's objects are made from. */
export interface ObjectContext {
  readonly config: InitConfig
  readonly facts: Pick<HostFacts, 'systemdResolved' | 'proxyEnvironment'>
  readonly inputs: ObjectInputs
}
