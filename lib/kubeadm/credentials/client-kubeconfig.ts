/** A kubeconfig for a further user, with a certificate or a token: `kubeconfig user`. Source: kubeadm cmd/kubeconfig.go (v1.36). */
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { controlPlaneUrl } from '../config/control-plane-url.ts'
import { planAuthority } from './authority.ts'
import { formatCertificate } from './certificate.ts'
import { AUTHORITIES, MASTERS } from './certificates.ts'
import { issuerOf, placed } from './credential-plan.ts'
import { openStore, type Read } from './credential-store.ts'
import { formatPrivateKey, generateKeys, keyAlgorithm } from './keys.ts'
import { kubeconfigText } from './kubeconfig-file.ts'
import { clientTemplate } from './template.ts'
import { formatTime } from './validity.ts'
import { certificate, type Subject } from './x509.ts'

export interface ClientRequest {
  /** With the validity that the certificate gets. */
  readonly config: InitConfig
  readonly read: Read
  readonly place: (path: string) => string
  readonly now: Date
  readonly subject: Subject
  /** In place of a certificate. */
  readonly token?: string
}

/** Groups that no rule can take anything from, so that such a certificate counts until its CA is replaced. */
export const UNSAFE_GROUPS: readonly string[] = [MASTERS]

/** Its text, and what is odd about it. Throws a KubestepError when the CA is not there, or is not good. */
export async function clientKubeconfig(
  request: ClientRequest,
): Promise<{ readonly text: string; readonly warnings: readonly string[] }> {
  const { config, now, subject, token } = request
  const { authority, key } = signerOf(request)
  const content = {
    server: controlPlaneUrl(config),
    cluster: config.cluster.clusterName,
    user: subject.commonName,
    authority: formatCertificate(authority.bytes),
  }
  if (token !== undefined) return { text: kubeconfigText({ ...content, token }, config.kubeadm), warnings: [] }
  if (key === undefined) {
    throw new KubestepError(
      `kubeconfig: cannot sign a certificate for "${subject.commonName}": the key of the CA is not here (external CA); have its owner sign one, or use --token`,
    )
  }
  const [fresh] = await generateKeys(keyAlgorithm(config.cluster), 1)
  if (fresh === undefined) throw new Error('no key was generated')
  const template = clientTemplate(subject, config, now, authority)
  const bytes = certificate(template, fresh, issuerOf({ certificate: authority, key }))
  const pem = { certificate: formatCertificate(bytes), key: formatPrivateKey(fresh) }
  const outlives = template.notAfter > authority.notAfter
  const warning = `kubeconfig: the certificate of "${subject.commonName}" counts only until its CA ends, on ${formatTime(authority.notAfter)}`
  return { text: kubeconfigText({ ...content, ...pem }, config.kubeadm), warnings: outlives ? [warning] : [] }
}

function signerOf({ config, read, place, now }: ClientRequest) {
  const store = openStore(config.cluster.certificatesDir, read)
  const [spec] = AUTHORITIES.filter(({ name }) => name === 'ca')
  if (spec === undefined) throw new Error('there is no row for the CA')
  const { authority, plan } = planAuthority(spec, false, store, config, now)
  if (plan.faults.length > 0) throw new KubestepError(placed(plan.faults.join('\n'), place))
  if (authority.state !== 'kept') {
    const path = place(store.path('ca', 'crt'))
    throw new KubestepError(
      `kubeconfig: cannot make a kubeconfig: the CA "${path}" is missing; run it on a control plane node, or name its folder in --config`,
    )
  }
  return { authority: authority.certificates[0], key: authority.key }
}
