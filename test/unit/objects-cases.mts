/** Cluster objects from values alone, and golden cases of them and of kubelet files: what real kubeadm made, and knew then. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { durationMilliseconds } from '../../lib/base/duration.ts'
import { isObject, type Json, type JsonObject } from '../../lib/base/json.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { parseAll } from '../../lib/base/yaml.ts'
import { controlPlaneUrl } from '../../lib/kubeadm/config/control-plane-url.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { issueCredentials } from '../../lib/kubeadm/credentials/issue.ts'
import type { ApplyPatches } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import type { ClusterObject } from '../../lib/kubeadm/objects/cluster-object.ts'
import type { CertificateUpload } from '../../lib/kubeadm/objects/upload-certs-objects.ts'
import { applyPatches } from '../../lib/kubeadm/patches/apply-patches.ts'
import { parsePatches } from '../../lib/kubeadm/patches/parse-patches.ts'
import type { PatchTarget } from '../../lib/kubeadm/patches/target.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'
import { INIT } from '../../lib/phases/init/schedule.ts'
import type { ApplyingPhase, Given } from '../../lib/phases/phase.ts'

const GOLDEN = new URL('../golden/', import.meta.url)

/** The machine the golden cases were made on. */
export const GOLDEN_FACTS: HostFacts = {
  hostname: 'vm',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}

/** What objects are made from besides the configuration; what is left out is as on a machine without anything. */
export interface ObjectInputs extends Partial<Omit<Given, 'config' | 'runs'>> {
  readonly caCertificate: string
  readonly now: Date
  readonly kubeletStarted?: boolean
}

export function givenFor(config: InitConfig, inputs: ObjectInputs): Given {
  const { caCertificate, kubeletStarted = true, ...rest } = inputs
  return {
    config,
    facts: GOLDEN_FACTS,
    read: () => undefined,
    readCredential: () => undefined,
    place: path => path,
    externalCa: false,
    issue: issueCredentials,
    apply: (_target, object) => object,
    runs: () => kubeletStarted,
    access: { server: controlPlaneUrl(config), caCertificate },
    ...rest,
  }
}

/** All phases that put objects into a cluster, in the order of an init. */
export const APPLYING: readonly ApplyingPhase[] = INIT.map(({ phase }) => phase).filter(
  (phase): phase is ApplyingPhase => 'objects' in phase,
)

/** The objects of the given phases (a parent stands for its sub-phases), or of all. */
export function clusterObjects(config: InitConfig, inputs: ObjectInputs, wanted?: readonly string[]): ClusterObject[] {
  const given = givenFor(config, inputs)
  const parents = wanted?.map(name => name.split('/')[0])
  return APPLYING.filter(({ name }) => parents === undefined || parents.includes(name))
    .flatMap(phase => phase.objects(given).objects)
    .filter(({ phase }) => wanted === undefined || wanted.some(name => phase === name || phase.startsWith(`${name}/`)))
}

export interface GoldenCase {
  /** E.g. `v1.36.2/init/default`. */
  readonly name: string
  readonly folder: URL
  readonly config: InitConfig
}

/** Every case that has a kubelet folder, of one release or of all. */
export function goldenCases(release = 'v'): GoldenCase[] {
  return readdirSync(GOLDEN)
    .filter(version => version.startsWith(release))
    .flatMap(version => ['init', 'versions'].map(kind => `${version}/${kind}`))
    .filter(path => existsSync(new URL(path, GOLDEN)))
    .flatMap(path => readdirSync(new URL(path, GOLDEN)).map(name => `${path}/${name}`))
    .filter(path => existsSync(new URL(`${path}/kubelet/config.yaml`, GOLDEN)))
    .map(path => goldenCase(path))
}

function goldenCase(path: string): GoldenCase {
  const folder = new URL(`${path}/`, GOLDEN)
  const version = /^v[^/]+/.exec(path)?.[0] ?? ''
  const text = textOf(folder, 'config.yaml')
  const source = { text, file: 'config.yaml', flags: { 'kubeadm-version': version } }
  return { name: path, folder, config: loadInitConfig(source, GOLDEN_FACTS).config }
}

interface Parts {
  /** Further lines of nodeRegistration, and of the other documents. */
  readonly node?: string
  readonly init?: string
  readonly cluster?: string
  /** Whole documents. */
  readonly kubelet?: string
  readonly kubeProxy?: string
}

/** A small configuration for a release, read as a user's file is. */
export function configOf(
  version: string,
  { node = '', init = '', cluster = '', kubelet, kubeProxy }: Parts,
): InitConfig {
  const minor = Number(version.split('.')[1])
  const api = minor < 22 ? 'v1beta2' : minor < 31 ? 'v1beta3' : 'v1beta4'
  const documents = [
    `apiVersion: kubeadm.k8s.io/${api}
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 10.0.0.5}
nodeRegistration:
  name: n1
  criSocket: unix:///run/containerd/containerd.sock${node}
bootstrapTokens: [{token: abcdef.0123456789abcdef, ttl: 0s}]
${init}`,
    `apiVersion: kubeadm.k8s.io/${api}
kind: ClusterConfiguration
kubernetesVersion: ${version}
${cluster}`,
    ...[kubelet, kubeProxy].filter(one => one !== undefined),
  ]
  return loadInitConfig({ text: documents.join('\n---\n'), file: 'test.yaml', flags: {} }, GOLDEN_FACTS).config
}

export function textOf(folder: URL, name: string): string {
  return readFileSync(new URL(name, folder), 'utf8')
}

/** The patches of a case, when it has some. */
export function patchesOf({ folder }: GoldenCase): ApplyPatches | undefined {
  const patches = new URL('patches/', folder)
  if (!existsSync(patches)) return undefined
  const files = readdirSync(patches).map(name => ({ name, content: textOf(patches, name) }))
  const parsed = parsePatches(files).patches
  return (target, object) => applyPatches(parsed, target as PatchTarget, object).object
}

/** cluster-objects.yaml without what the extraction put into the comments. */
export function goldenObjects({ folder }: GoldenCase): string {
  return `${textOf(folder, 'cluster-objects.yaml').trimEnd()}\n`.replace(/^(# PATCH nodes) .*$/gm, '$1')
}

/** What kubeadm drew by chance or took from the clock, read back from its objects. */
export function goldenInputs(golden: GoldenCase): ObjectInputs {
  const { folder, config } = golden
  const text = textOf(folder, 'cluster-objects.yaml')
  const authority = /certificate-authority-data: (\S+)/.exec(text)?.[1] ?? ''
  const secrets = parseAll(text.replace(/^\{.*\}$/gm, '{}')).filter(
    (one): one is JsonObject => isObject(one) && one.kind === 'Secret',
  )
  const apply = patchesOf(golden)
  const upload = uploadOf(secrets, existsSync(new URL('flags.txt', folder)))
  return {
    caCertificate: Buffer.from(authority, 'base64').toString(),
    now: startOf(secrets, config),
    ...(upload && { upload }),
    ...(apply && { apply }),
  }
}

function field(secret: JsonObject | undefined, name: string): string {
  const data = secret?.data
  const value: Json | undefined = isObject(data) ? data[name] : undefined
  return Buffer.from(String(value ?? ''), 'base64').toString()
}

// The shortest-lived token tells when the run was.
function startOf(secrets: readonly JsonObject[], { init }: InitConfig): Date {
  for (const { token, ttl } of init.bootstrapTokens) {
    const secret = secrets.find(one => field(one, 'token-id') === token.split('.')[0])
    const end = new Date(field(secret, 'expiration'))
    if (!Number.isNaN(end.getTime())) return new Date(end.getTime() - durationMilliseconds(ttl ?? '0'))
  }
  const end = secrets.map(secret => new Date(field(secret, 'expiration'))).find(time => !Number.isNaN(time.getTime()))
  return new Date((end?.getTime() ?? 0) - durationMilliseconds('2h'))
}

function uploadOf(secrets: readonly JsonObject[], wanted: boolean): CertificateUpload | undefined {
  if (!wanted) return undefined
  const owner = secrets.find(one => field(one, 'description').startsWith('Proxy for managing TTL'))
  const token = `${field(owner, 'token-id')}.${field(owner, 'token-secret')}`
  // kubeadm's dry run finds no certificates where it looks for them.
  return { key: '0'.repeat(64), token }
}
