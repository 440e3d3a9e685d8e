/**
 * Keys and certificate signing requests, for a CA that is somewhere else: kubeadm's `certs generate-csr`, and
 * `init phase certs --csr-only`. Source: kubeadm phases/certs, phases/kubeconfig (v1.36; v1.21 for --csr-only).
 */
import { posix } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { FileEntry } from '../../machine/files.ts'
import { same } from './certificate.ts'
import { LEAVES, type LeafName, type LeafSpec } from './certificates.ts'
import { joinPlans, type Made, MODE, NOTHING, type Plan, placed, refusal, remark } from './credential-plan.ts'
import { find, openStore, type Read } from './credential-store.ts'
import { readElement, readElements } from './der.ts'
import { held } from './expiration.ts'
import { formatPrivateKey, generateKeys, keyAlgorithm, type PrivateKey, parsePrivateKey } from './keys.ts'
import { kubeconfigText } from './kubeconfig-file.ts'
import {
  externalServer,
  KUBECONFIGS,
  type KubeconfigName,
  type KubeconfigSpec,
  kubeconfigSubject,
} from './kubeconfigs.ts'
import { formatPem, parsePem } from './pem.ts'
import { identityOf, type RenewalRequest } from './renewal.ts'
import { leafIdentity } from './template.ts'
import { type AlternativeNames, certificateRequest, type Subject } from './x509.ts'

export interface SigningRequests {
  readonly files: readonly FileEntry[]
  readonly messages: readonly string[]
}

export interface SigningRequestsRequest {
  readonly config: InitConfig
  /** Where a file of the host really lies, for messages. */
  readonly place?: (path: string) => string
  readonly read: Read
  readonly leaves: readonly LeafName[]
  readonly kubeconfigs: readonly KubeconfigName[]
  /** Where keys and requests of certificates are written, and where kubeconfigs with theirs. */
  readonly directories: { readonly requests: string; readonly kubeconfigs: string }
  /** What happens to a key and request that are there already: an error, or they are checked and kept. */
  readonly existing: 'refuse' | 'keep'
}

/** Makes keys and signing requests. Throws a KubestepError with every fault, one per line; then nothing was made. */
export async function issueSigningRequests(request: SigningRequestsRequest): Promise<SigningRequests> {
  const { leaves, kubeconfigs, directories, existing } = request
  const title = (folder: string): Plan[] =>
    existing === 'refuse' ? [remark(`generating keys and CSRs in ${folder}`)] : []
  const plan = joinPlans([
    ...(leaves.length > 0 ? title(directories.requests) : []),
    ...LEAVES.filter(({ name }) => leaves.includes(name)).map(spec => planLeafRequest(spec, request)),
    ...(kubeconfigs.length > 0 ? title(directories.kubeconfigs) : []),
    ...KUBECONFIGS.filter(({ name }) => kubeconfigs.includes(name)).map(spec => planKubeconfigRequest(spec, request)),
  ])
  return makeRequests(plan, request)
}

/** Keys and signing requests in place of certificates that are there: `certs renew --csr-only`, until 1.22. Throws the same. */
export async function issueRenewalRequests(
  request: RenewalRequest & { readonly folder: string },
): Promise<SigningRequests> {
  const { config, rows, read, folder, kubeconfigs } = request
  const store = openStore(config.cluster.certificatesDir, read)
  const plan = joinPlans(
    rows.map(row => {
      const { certificate: old } = held(row, store, kubeconfigs, read)
      if (old.state === 'absent') return remark(`MISSING! ${row.longName}`)
      if (old.state === 'damaged')
        return refusal(`certs: cannot renew "${old.path}": ${old.reason}; put the right file there`)
      const paths = { key: posix.join(folder, `${row.name}.key`), request: posix.join(folder, `${row.name}.csr`) }
      const taken = existingRequest(row.name, paths, 'refuse', read)
      if (taken !== undefined) return taken
      const { subject, names } = identityOf(row, old.value, request)
      const make = (key: PrivateKey): Made => ({
        files: requestFiles(paths, subject, names, key),
        messages: [`[certs] Generating "${row.name}" key and CSR`],
      })
      return { ...NOTHING, steps: [{ make }] }
    }),
  )
  return makeRequests(plan, request)
}

async function makeRequests(
  plan: Plan,
  { config, place }: Pick<SigningRequestsRequest, 'config' | 'place'>,
): Promise<SigningRequests> {
  if (plan.faults.length > 0) throw new KubestepError(placed(plan.faults.join('\n'), place))
  const makers = plan.steps.flatMap(step => ('make' in step ? [step.make] : []))
  const keys = (await generateKeys(keyAlgorithm(config.cluster), makers.length)).values()
  const noSigner = (): never => {
    throw new Error('a signing request needs no signer')
  }
  const made = plan.steps.map(step => ('make' in step ? step.make(keys.next().value as PrivateKey, noSigner) : step))
  return { files: made.flatMap(({ files }) => files), messages: made.flatMap(({ messages }) => messages) }
}

function planLeafRequest(spec: LeafSpec, { config, read, directories, existing }: SigningRequestsRequest): Plan {
  const store = openStore(directories.requests, read)
  const paths = { key: store.path(spec.baseName, 'key'), request: store.path(spec.baseName, 'csr') }
  const found = existingRequest(spec.baseName, paths, existing, read)
  if (found !== undefined) return found
  const { subject, names } = leafIdentity(spec, config)
  const make = (key: PrivateKey) => ({
    files: requestFiles(paths, subject, names, key),
    messages:
      existing === 'refuse'
        ? [`  ${spec.baseName}`]
        : [
            `[certs] Generating CSR for ${spec.baseName} instead of certificate`,
            `[certs] Generating "${spec.baseName}" key and CSR`,
          ],
  })
  return { ...NOTHING, steps: [{ make }] }
}

function requestFiles(
  paths: { readonly key: string; readonly request: string },
  subject: Subject,
  names: AlternativeNames,
  key: PrivateKey,
): FileEntry[] {
  return [
    { path: paths.key, mode: MODE.secret, content: formatPrivateKey(key) },
    { path: paths.request, mode: MODE.secret, content: formatRequest(certificateRequest(subject, names, key)) },
  ]
}

/** A kubeconfig with a key and without certificates, to be completed by hand, and the request beside it. */
function planKubeconfigRequest(spec: KubeconfigSpec, { config, read, directories }: SigningRequestsRequest): Plan {
  const path = posix.join(directories.kubeconfigs, spec.file)
  const taken = [path, `${path}.csr`, `${path}.key`].filter(one => find(one, read, text => text).state !== 'absent')
  if (taken.length > 0) return refusal(...taken.map(one => `kubeconfig: ${alreadyThere(one)}`))
  const subject = kubeconfigSubject(spec, config)
  const make = (key: PrivateKey) => {
    const names = { dnsNames: [], ipAddresses: [] }
    const content = kubeconfigText(
      {
        server: externalServer(spec, config),
        cluster: config.cluster.clusterName,
        user: subject.commonName,
        key: formatPrivateKey(key),
      },
      config.kubeadm,
    )
    return {
      files: [
        { path, mode: MODE.secret, content },
        { path: `${path}.csr`, mode: MODE.secret, content: formatRequest(certificateRequest(subject, names, key)) },
      ],
      messages: [`  ${spec.file}`],
    }
  }
  return { ...NOTHING, steps: [{ make }] }
}

/** What to do about files in the way; undefined when there are none. */
function existingRequest(
  baseName: string,
  paths: { readonly key: string; readonly request: string },
  existing: 'refuse' | 'keep',
  read: Read,
): Plan | undefined {
  const key = find(paths.key, read, parsePrivateKey)
  const request = find(paths.request, read, requestedKey)
  const there = [key, request].filter(({ state }) => state !== 'absent')
  if (there.length === 0) return undefined
  if (existing === 'refuse') return refusal(...there.map(({ path }) => `certs: ${alreadyThere(path)}`))
  const faults = [key, request].flatMap(one => {
    if (one.state === 'there') return []
    const reason = one.state === 'absent' ? 'it is missing, while the other half is there' : one.reason
    return [`certs: cannot reuse "${one.path}": ${reason}; delete the key and the signing request and run it again`]
  })
  if (key.state === 'there' && request.state === 'there' && !same(key.value.publicKey, request.value)) {
    faults.push(
      `certs: cannot reuse "${paths.request}": it is for another key than "${paths.key}"; delete both and run it again`,
    )
  }
  return faults.length > 0 ? refusal(...faults) : remark(`[certs] Using the existing "${baseName}" CSR`)
}

function alreadyThere(path: string): string {
  return `cannot make "${path}": the file exists already; move it away or choose another folder`
}

const LABEL = 'CERTIFICATE REQUEST'

function formatRequest(bytes: Uint8Array): string {
  return formatPem(LABEL, bytes)
}

/** The SubjectPublicKeyInfo that a signing request is for. Throws a RangeError that says what is wrong. */
function requestedKey(pem: string): Uint8Array {
  const block = parsePem(pem).find(({ label }) => label === LABEL)
  const [info] = block === undefined ? [] : readElements(readElement(block.bytes).content)
  const publicKey = info === undefined ? undefined : readElements(info.content)[2]
  if (publicKey === undefined) throw new RangeError('it holds no certificate signing request')
  return publicKey.bytes
}
