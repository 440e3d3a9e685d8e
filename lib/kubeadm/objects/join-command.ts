/** The commands that join further nodes, and the text around them at the end of an init. */
import { pinsOf } from '../credentials/ca-pins.ts'

/** How the cluster is found and trusted, as admin.conf has it. */
export interface ClusterAccess {
  /** `https://host:port`. */
  readonly server: string
  /** PEM; it may hold several certificates. */
  readonly caCertificate: string
}

/** What stands in for a secret that is not to be shown. */
const WITHHELD = '<value withheld>'

export interface JoinSecrets {
  /** `id.secret` of each bootstrap token. */
  readonly tokens: readonly string[]
  /** The key of the uploaded certificates; 64 hex digits. */
  readonly certificateKey?: string
  readonly skipTokenPrint?: boolean
  readonly skipCertificateKeyPrint?: boolean
}

export interface InitDone extends JoinSecrets {
  readonly access: ClusterAccess
  /** Where admin.conf was written, e.g. `/etc/kubernetes/admin.conf`. */
  readonly adminConf: string
  /** Whether the cluster has a common endpoint, without which no control plane node can join. */
  readonly hasControlPlaneEndpoint: boolean
  readonly certificatesUploaded: boolean
}

/** The command for a worker; blanks at line ends are kubeadm's. Source: kubeadm cmd/util/join.go (v1.36). */
export function workerJoinCommand({ server, caCertificate }: ClusterAccess, token: string): string {
  const hashes = pinsOf(caCertificate).map(hash => `--discovery-token-ca-cert-hash ${hash} `)
  return `kubeadm join ${server.replaceAll('https://', '')} --token ${token} \\\n\t${hashes.join('')}`
}

/** The command for a control plane node; without a key the certificates must be there already. */
export function controlPlaneJoinCommand(access: ClusterAccess, token: string, certificateKey?: string): string {
  const key = certificateKey === undefined ? '' : `--certificate-key ${certificateKey}`
  return `${workerJoinCommand(access, token)}\\\n\t--control-plane ${key}`
}

/**
 * The text at the end of an init, once for each token: the commands are kubeadm's. Throws a KubestepError for a CA that is none.
 * Source: kubeadm cmd/phases/init/showjoincommand.go (v1.36).
 */
export function initDoneText(done: InitDone): string {
  return done.tokens.map(token => doneText(done, token)).join('')
}

function doneText(done: InitDone, givenToken: string): string {
  const { access, adminConf } = done
  const token = done.skipTokenPrint ? WITHHELD : givenToken
  return `
The control plane is up. To use it as an ordinary user:

  mkdir -p $HOME/.kube
  sudo cp -i ${adminConf} $HOME/.kube/config
  sudo chown $(id -u):$(id -g) $HOME/.kube/config

As root:

  export KUBECONFIG=/etc/kubernetes/admin.conf

${done.hasControlPlaneEndpoint ? controlPlaneText(done, token) : ''}A worker joins with this command, run as root on it:

${workerJoinCommand(access, token)}
`
}

function controlPlaneText(done: InitDone, token: string): string {
  const { access, certificateKey, certificatesUploaded, skipCertificateKeyPrint } = done
  const key = certificateKey !== undefined && skipCertificateKeyPrint ? WITHHELD : certificateKey
  const command = `  ${controlPlaneJoinCommand(access, token, key)}\n\n`
  if (!certificatesUploaded) {
    return `A further control plane node joins, with the CAs and the service account keys copied to it first, by:

${command}`
  }
  return `A further control plane node joins with this command, run as root on it:

${command}The key in it opens the uploaded certificates, so keep it to yourself. They are gone after two hours; upload-certs
puts them there again.

`
}
