/**
 * A run: certificates, keys and kubeconfigs. It is planned whole, refused with all faults at once, and only then
 * are all keys generated at once and everything signed in kubeadm's order.
 */

import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { FileEntry } from '../../machine/files.ts'
import { type Authority, planAuthority } from './authority.ts'
import {
  AUTHORITIES,
  type AuthorityName,
  type AuthoritySpec,
  CERTIFICATES,
  type CertificateName,
  type CertificateSpec,
  isLeaf,
  LEAVES,
  SERVICE_ACCOUNT,
} from './certificates.ts'
import { joinPlans, type Made, NOTHING, type Plan, placed, remark, type Signer } from './credential-plan.ts'
import { isExternal, openStore, type Read } from './credential-store.ts'
import { generateKeys, keyAlgorithm, type PrivateKey } from './keys.ts'
import { planKubeconfig } from './kubeconfig-plan.ts'
import { KUBECONFIGS, type KubeconfigName } from './kubeconfigs.ts'
import { planLeaf } from './leaf.ts'
import { planServiceAccount } from './service-account.ts'

export interface IssueRequest {
  readonly config: InitConfig
  /** Where a file of the host really lies, for messages. */
  readonly place?: (path: string) => string
  /** Reads a file of the host. */
  readonly read: Read
  /** The start of the run; every certificate's dates come from it. */
  readonly now: Date
  /** What to make; any order, the result has kubeadm's. */
  readonly certificates: readonly (CertificateName | typeof SERVICE_ACCOUNT)[]
  readonly kubeconfigs: readonly KubeconfigName[]
  /** Where kubeconfigs lie, e.g. `/etc/kubernetes`; certificates lie where the configuration says. */
  readonly directories: { readonly kubeconfigs: string }
}

export interface Issued {
  /** What is to be written; nothing when all is there. */
  readonly files: readonly FileEntry[]
  /** Existing CAs, and kubeconfigs of an external CA: a dry run takes them along into its folder. */
  readonly kept: readonly FileEntry[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
  readonly warnings: readonly string[]
}

/** All certificates and the service account pair, in kubeadm's order. */
export const ALL_CERTIFICATES: readonly (CertificateName | typeof SERVICE_ACCOUNT)[] = [
  ...CERTIFICATES.map(({ name }) => name),
  SERVICE_ACCOUNT,
]

/** Makes what is asked for and not there. Throws a KubestepError with every fault, one per line; then nothing was made. */
export async function issueCredentials(request: IssueRequest): Promise<Issued> {
  const [issued] = await issueTogether(request)
  return issued as Issued
}

/**
 * The same for several requests of one run, in kubeadm's order: they are planned and refused as one, a CA that one of
 * them makes signs for the next, and all keys are generated at once. Gives what came of each.
 */
export async function issueTogether(first: IssueRequest, ...rest: readonly IssueRequest[]): Promise<Issued[]> {
  const { authorities, plans } = planRun(first, rest)
  return carryOut(plans, authorities, first)
}

/** Carries plans out. Throws a KubestepError with every fault of them, one per line; then nothing was made. */
export async function carryOut(
  plans: readonly Plan[],
  authorities: Authorities,
  { config, place }: Pick<IssueRequest, 'config' | 'place'>,
): Promise<Issued[]> {
  const { faults, warnings, steps } = joinPlans(plans)
  if (faults.length > 0) throw new KubestepError(placed([...faults, ...warnings].join('\n'), place))
  const count = steps.filter(step => 'make' in step).length
  const make = maker(authorities, (await generateKeys(keyAlgorithm(config.cluster), count)).values())
  return plans.map(plan => ({ ...make(plan), kept: plan.kept, warnings: plan.warnings }))
}

/** Whether a CA is there without its key, so that nothing can be signed with it here. */
export function isExternalAuthority(config: InitConfig, name: 'ca' | 'front-proxy-ca', read: Read): boolean {
  return isExternal(openStore(config.cluster.certificatesDir, read), name)
}

/** CAs by name, as they were found. */
export type Authorities = ReadonlyMap<AuthorityName, Authority>

function planRun(
  first: IssueRequest,
  rest: readonly IssueRequest[],
): { readonly authorities: Authorities; readonly plans: readonly Plan[] } {
  const { config, read, now } = first
  const requests = [first, ...rest]
  const store = openStore(config.cluster.certificatesDir, read)
  const asked = requests.flatMap(({ certificates }) => certificates)
  const planned = new Map(
    neededAuthorities(requests, config).map(spec => {
      return [spec.name, planAuthority(spec, asked.includes(spec.name), store, config, now)]
    }),
  )
  const authorities = new Map([...planned].map(([name, { authority }]) => [name, authority]))
  const authorityOf = (name: AuthorityName): Authority => authorities.get(name) ?? { state: 'missing' }
  const planOf = (spec: CertificateSpec): Plan => {
    if (isSkipped(spec, config)) return skipped(spec)
    if (!isLeaf(spec)) return planned.get(spec.name)?.plan ?? NOTHING
    return planLeaf(spec, authorityOf(spec.authority), store, config, now)
  }
  const planRequest = ({ certificates, kubeconfigs, directories: { kubeconfigs: folder } }: IssueRequest): Plan => {
    const authorityPath = store.path('ca', 'crt')
    const kubeconfigPlanning = { config, authority: authorityOf('ca'), authorityPath, folder, read, now }
    return joinPlans([
      ...(certificates.length > 1 ? [remark(`[certs] Using certificateDir folder "${store.folder}"`)] : []),
      ...CERTIFICATES.filter(({ name }) => certificates.includes(name)).map(planOf),
      ...(certificates.includes(SERVICE_ACCOUNT) ? [planServiceAccount(store, isExternal(store, 'ca'))] : []),
      ...(kubeconfigs.length > 1 ? [remark(`[kubeconfig] Using kubeconfig folder "${folder}"`)] : []),
      ...KUBECONFIGS.filter(({ name }) => kubeconfigs.includes(name)).map(spec =>
        planKubeconfig(spec, kubeconfigPlanning),
      ),
    ])
  }
  // A CA that is not asked for, but signs something that is, has its faults said; nothing else.
  const signing = [...planned].flatMap(([name, { plan }]) => (asked.includes(name) ? [] : [plan]))
  return { authorities, plans: [joinPlans([...signing, planRequest(first)]), ...rest.map(planRequest)] }
}

/** The CAs that are asked for, and those that sign what is. */
function neededAuthorities(requests: readonly IssueRequest[], config: InitConfig): AuthoritySpec[] {
  const names = requests.flatMap(({ certificates, kubeconfigs }): readonly string[] => [
    ...certificates,
    ...LEAVES.filter(({ name }) => certificates.includes(name)).map(({ authority }) => authority),
    ...(kubeconfigs.length > 0 ? ['ca'] : []),
  ])
  return AUTHORITIES.filter(spec => names.includes(spec.name) && !isSkipped(spec, config))
}

/** With an external etcd nothing is made for etcd. */
function isSkipped(spec: CertificateSpec, { cluster }: InitConfig): boolean {
  return cluster.etcd.external !== undefined && (isLeaf(spec) ? spec.authority : spec.name) === 'etcd-ca'
}

function skipped(spec: CertificateSpec): Plan {
  const what = isLeaf(spec) ? 'certificate' : 'certificate authority'
  return remark(`[certs] External etcd mode: Skipping ${spec.baseName} ${what} generation`)
}

/** Carries plans out, one after the other: what one makes signs for the next. */
function maker(authorities: Authorities, keys: Iterator<PrivateKey>): (plan: Plan) => Made {
  const signers = new Map<AuthorityName, Signer>()
  for (const [name, authority] of authorities) {
    if (authority.state === 'kept' && authority.key !== undefined) {
      signers.set(name, { certificate: authority.certificates[0], key: authority.key })
    }
  }
  const signer = (name: AuthorityName): Signer => {
    const found = signers.get(name)
    if (found === undefined) throw new Error(`the plan has no ${name} to sign with`)
    return found
  }
  return plan => {
    const made = plan.steps.map(step => {
      if (!('make' in step)) return step
      const { value: key } = keys.next()
      if (key === undefined) throw new Error('the plan needs more keys than were generated')
      const result = step.make(key, signer)
      if (result.authority !== undefined) signers.set(result.authority.name, result.authority)
      return result
    })
    return { files: made.flatMap(({ files }) => files), messages: made.flatMap(({ messages }) => messages) }
  }
}
