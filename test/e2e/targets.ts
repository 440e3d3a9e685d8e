/**
 * Which versions of Kubernetes are brought up: v1.20.2 as built from Debian's source package (or, when it is there
 * already, from the artifacts folder in KUBESTEP_E2E_DEBIAN), and the artifacts folders that KUBESTEP_E2E_ARTIFACTS
 * names, with a colon between them.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readHostFacts } from '../../lib/machine/host/read-facts.ts'
import { here, run } from './programs.ts'
import { temporaryFolder } from './temporary.ts'

/** The image that tests run in Pods: a static busybox. */
export const TEST_IMAGE = 'kubestep.test/busybox:e2e'

export interface Target {
  readonly version: string
  readonly artifacts: string
  readonly kubectl: string
  /** Arguments of init besides the artifacts; `--config FILE` first. */
  readonly args: readonly string[]
  readonly hasDns: boolean
}

export interface Targets {
  readonly targets: readonly Target[]
  /** What cannot be brought up here, and why. */
  readonly skipped: readonly string[]
}

/** Finds or makes the artifacts. Throws when a build fails. */
export async function findTargets(): Promise<Targets> {
  const image = await script('test-image.sh')
  const runtime = await script('runtime.sh')
  const reason = image.skipped ?? runtime.skipped
  if (reason !== undefined) return { targets: [], skipped: [reason] }
  process.env.PATH = `${runtime.path}:${process.env.PATH}`
  const built = process.env.KUBESTEP_E2E_DEBIAN
  const debian = built === undefined ? await script('build-debian.sh') : { path: built }
  const given = (process.env.KUBESTEP_E2E_ARTIFACTS ?? '').split(':').filter(Boolean)
  const folders = [...(debian.path === undefined ? [] : [debian.path]), ...given]
  return {
    targets: await Promise.all(folders.map(folder => targetOf(folder, image.path ?? ''))),
    skipped: debian.skipped === undefined ? [] : [debian.skipped],
  }
}

// Prints one path; status 77 says that this is not the machine for it.
async function script(name: string): Promise<{ readonly path?: string; readonly skipped?: string }> {
  const { status, stdout, stderr } = await run(['bash', here(name)], { loud: true })
  if (status === 77) return { skipped: stderr.trim().split('\n').at(-1) ?? name }
  if (status !== 0) throw new Error(`${name} ended with status ${status}: ${stderr}`)
  return { path: stdout.trim() }
}

async function targetOf(folder: string, image: string): Promise<Target> {
  const { stdout } = await run([join(folder, 'bin/kubelet'), '--version'])
  const version = stdout.trim().split(' ').at(-1) ?? ''
  const own = temporaryFolder()
  const artifacts = join(own, version)
  mkdirSync(join(artifacts, 'images'), { recursive: true })
  for (const name of readdirSync(folder).filter(name => name !== 'images')) {
    symlinkSync(join(folder, name), join(artifacts, name))
  }
  const images = readdirSync(join(folder, 'images'))
  const hasDns = images.some(name => name.includes('coredns'))
  for (const name of images) {
    symlinkSync(join(folder, 'images', name), join(artifacts, 'images', name))
  }
  symlinkSync(image, join(artifacts, 'images', 'kubestep-e2e.tar'))
  writeFileSync(join(own, 'resolv.conf'), `nameserver ${ownAddress()}\n`)
  writeFileSync(join(own, 'kubeadm.yaml'), configuration(version, join(own, 'resolv.conf')))
  // Whatever other runtime is on this machine is nobody's business here.
  const args = ['--config', join(own, 'kubeadm.yaml'), '--runtime', 'private']
  if (!hasDns) args.push('--skip-phases', 'addon/coredns')
  return { version, artifacts, kubectl: join(artifacts, 'bin/kubectl'), args, hasDns }
}

/** The same with another address of the API server. */
export function advertising(target: Target, address: string): Target {
  return withField(target, 'InitConfiguration', `localAPIEndpoint: { advertiseAddress: ${address} }`)
}

/** The same with a further field of the ClusterConfiguration. */
export function withCluster(target: Target, field: string): Target {
  return withField(target, 'ClusterConfiguration', field)
}

function withField({ args, ...target }: Target, kind: string, field: string): Target {
  const [flag = '', config = '', ...others] = args
  const file = join(temporaryFolder(), 'kubeadm.yaml')
  writeFileSync(file, readFileSync(config, 'utf8').replace(`kind: ${kind}\n`, `kind: ${kind}\n${field}\n`))
  return { ...target, args: [flag, file, ...others] }
}

/** The same with certificates that end so soon, where its kubeadm can be told. Source: kubeadm's v1beta4 (1.31). */
export function withPeriod({ args, ...target }: Target, period: string): Target {
  const [flag = '', config = '', ...others] = args
  const text = readFileSync(config, 'utf8')
  if (!text.includes('/v1beta4')) return { ...target, args }
  const file = join(temporaryFolder(), 'kubeadm.yaml')
  const cluster = `kind: ClusterConfiguration\ncertificateValidityPeriod: ${period}`
  writeFileSync(file, text.replace('kind: ClusterConfiguration', cluster))
  return { ...target, args: [flag, file, ...others] }
}

/** This machine's address: Pods ask it for names, so that no question leaves the machine. */
export function ownAddress(): string {
  return readHostFacts('/').defaultAddress.ipv4 ?? '127.0.0.1'
}

// v1beta2 until 1.22, v1beta3 until 1.31. Source: kubeadm's release notes.
function configuration(version: string, resolvConf: string): string {
  const minor = Number(version.split('.')[1])
  const api = `kubeadm.k8s.io/${minor < 22 ? 'v1beta2' : minor < 31 ? 'v1beta3' : 'v1beta4'}`
  return `apiVersion: ${api}
kind: InitConfiguration
nodeRegistration: { taints: [] }
---
apiVersion: ${api}
kind: ClusterConfiguration
kubernetesVersion: ${version}
networking: { podSubnet: 10.244.0.0/16 }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
resolvConf: ${JSON.stringify(resolvConf)}
`
}
