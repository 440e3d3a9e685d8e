/** A folder of components that was made elsewhere: `bin/kubelet`, `bin/kubectl`, `cni/bin/*`, `images/*.tar`. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { parseVersion, type Version } from '../../base/version.ts'
import { commandOf } from '../../cli/invocation.ts'
import { $ } from '../../machine/command.ts'
import { explain } from '../../machine/files.ts'
import { listNames } from '../fetch/cache-store.ts'
import { programFault } from '../fetch/program.ts'
import { readReference } from '../fetch/reference.ts'
import { type ArchiveContent, readArchive } from '../registry/write-image-archive.ts'

export interface Programs {
  readonly kubelet: string
  readonly kubectl?: string
  readonly cniBinDir?: string
}

export interface Artifacts extends Programs {
  readonly imageArchives: readonly string[]
}

/** What has to be in a folder. */
export interface WantedArtifacts {
  readonly arch: string
  /** Of Kubernetes, with its `v`, and `ci/` where it is a build of its CI. */
  readonly version: string
  /** Names of images; an archive may have more. */
  readonly images?: readonly string[]
  /** CNI plugins; a folder that has some of them has to have all. */
  readonly plugins?: readonly string[]
  /** Whether the machine does without plugins in the folder. */
  readonly hasPlugins?: boolean
  /** What its kubelet says of itself, for who has asked it already. */
  readonly kubeletSays?: Promise<Version | undefined>
}

/**
 * Finds what a folder has, from what its files say of themselves. Throws a KubestepError that names everything that
 * is missing or wrong, and what to put where.
 */
export async function readArtifacts(folder: string, wanted: WantedArtifacts): Promise<Artifacts> {
  const {
    arch,
    version,
    images = [],
    plugins = [],
    hasPlugins = false,
    kubeletSays = askKubelet(folder, arch),
  } = wanted
  const found = (path: string): string | undefined => (isFile(join(folder, path)) ? join(folder, path) : undefined)
  const [kubelet, kubectl] = [found('bin/kubelet'), found('bin/kubectl')]
  const cniBinDir = join(folder, 'cni/bin')
  const brought = listNames(cniBinDir)
  const imageArchives = listNames(join(folder, 'images'))
    .filter(name => name.endsWith('.tar'))
    .map(name => join(folder, 'images', name))
  const present = plugins.filter(name => brought.includes(name))
  // What else is there is no Pod network of ours.
  const bringsPlugins = brought.length > 0 && (plugins.length === 0 || present.length > 0)
  const programs = [kubelet, kubectl, ...present.map(name => join(cniBinDir, name))].filter(path => path !== undefined)
  const programFaults = programs.flatMap(path => programFault(path, arch) ?? [])
  const [contents, kubeletVersion] = await Promise.all([
    Promise.allSettled(imageArchives.map(readArchive)),
    kubeletSays,
  ])
  const read = contents.map(content => (content.status === 'fulfilled' ? content.value : undefined))
  const lacking = lackingImages(images, read)
  const other = otherVersion(version, kubeletVersion, lacking, read)
  const faults = [
    ...(kubelet === undefined
      ? [`${join(folder, 'bin/kubelet')} is missing: put the kubelet of Kubernetes ${version} for linux/${arch} there`]
      : []),
    ...programFaults,
    ...pluginFaults(cniBinDir, plugins, bringsPlugins ? present : undefined, hasPlugins, arch),
    ...contents.flatMap(content => (content.status === 'rejected' ? [reasonOf(content.reason)] : [])),
    ...read.flatMap((content, index) => archFault(imageArchives[index] ?? '', content, arch)),
    // Of another version all images are missing: that says the same once more.
    ...(other ?? imageFault(lacking)),
  ]
  if (kubelet === undefined || faults.length > 0) throw artifactsError(folder, version, faults)
  return {
    kubelet,
    ...(kubectl !== undefined && { kubectl }),
    ...(bringsPlugins && { cniBinDir }),
    imageArchives,
  }
}

function imageFault(lacking: readonly string[]): string[] {
  if (lacking.length === 0) return []
  return [
    `images has no archive with ${lacking.join(', ')}: put ${lacking.length === 1 ? 'it' : 'them'} there (docker or OCI archives, *.tar)`,
  ]
}

/**
 * Version that the kubelet of a folder says; undefined when it does not, e.g. on a disk that programs may not be started
 * from. Its start takes longer than all else that is read of a folder.
 */
export async function askKubelet(folder: string, arch: string): Promise<Version | undefined> {
  const kubelet = join(folder, 'bin/kubelet')
  if (!isFile(kubelet) || programFault(kubelet, arch) !== undefined) return undefined
  const { stdout } = await $({ nothrow: true, timeout: VERSION_LIMIT_MS })`${kubelet} --version`
  return parseVersion(/\bv\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? '')
}

const VERSION_LIMIT_MS = 10_000

const release = ({ major, minor, patch }: Version): string => `v${major}.${minor}.${patch}`

/**
 * The fault of a folder that was made for another version. A kubelet may differ from images that fit, as long as it
 * is not newer: the API server takes older ones. Source: Kubernetes' version skew policy.
 */
function otherVersion(
  version: string,
  kubelet: Version | undefined,
  lacking: readonly string[],
  read: readonly (ArchiveContent | undefined)[],
): string[] | undefined {
  const wanted = parseVersion(version.replace(/^ci\//, ''))
  if (wanted === undefined) return undefined
  const isAnother = (found: Version): boolean => release(found) !== release(wanted)
  const advice = (found: Version): string =>
    `${version} was asked for; ask for ${release(found)} (--kubernetes-version, or kubernetesVersion in the configuration), or make a folder of ${version}`
  const lacksServer = lacking.find(name => /\/kube-apiserver[:@]/.test(name)) !== undefined
  if (kubelet !== undefined && isAnother(kubelet) && (lacksServer || kubelet.minor > wanted.minor))
    return [`it is of ${release(kubelet)} (its kubelet says so), and ${advice(kubelet)}`]
  if (!lacksServer) return undefined
  const servers = read.flatMap(content => content?.names ?? []).map(name => /\/kube-apiserver:(\S+)$/.exec(name)?.[1])
  const server = parseVersion(servers.find(tag => tag !== undefined) ?? '')
  return server === undefined || !isAnother(server)
    ? undefined
    : [`it is of ${release(server)} (its kube-apiserver says so), and ${advice(server)}`]
}

function pluginFaults(
  cniBinDir: string,
  plugins: readonly string[],
  present: readonly string[] | undefined,
  hasPlugins: boolean,
  arch: string,
): string[] {
  if (present === undefined && hasPlugins) return []
  const absent = plugins.filter(name => present?.includes(name) !== true)
  if (absent.length === 0) return []
  const names = absent.map(name => JSON.stringify(name)).join(', ')
  return present === undefined
    ? [
        `${cniBinDir} is empty or missing, and the machine has no CNI plugins: put ${names} for linux/${arch} there, add --install, or use --cni none`,
      ]
    : [`${cniBinDir} has no ${names}: put the CNI plugins for linux/${arch} there`]
}

function archFault(path: string, content: ArchiveContent | undefined, arch: string): string[] {
  const { architectures = [] } = content ?? {}
  return architectures.length === 0 || architectures.includes(arch)
    ? []
    : [`${path} has images for ${architectures.join(', ')}: put those for ${arch} there`]
}

function lackingImages(wanted: readonly string[], read: readonly (ArchiveContent | undefined)[]): string[] {
  // What is in a compressed or broken archive cannot be told.
  if (read.includes(undefined)) return []
  const there = new Set(read.flatMap(content => content?.names ?? []).map(wholeName))
  return wanted.filter(name => !there.has(wholeName(name)))
}

// An archive may hold names of its owner's making.
function wholeName(name: string): string {
  try {
    return readReference(name).name
  } catch {
    return name
  }
}

function artifactsError(folder: string, version: string, faults: readonly string[]): KubestepError {
  const inside = listNames(folder).find(name => isFile(join(folder, name, 'bin/kubelet')))
  const hint =
    inside === undefined
      ? `${commandOf('bundle')} --kubernetes-version ${version} --output-dir DIR makes such a folder on a machine with a network`
      : `did you mean --artifacts ${join(folder, inside)}?`
  const head = `components: cannot use artifacts "${folder}"`
  if (folderFault(folder) !== undefined) return new KubestepError(`${head}: ${folderFault(folder)}; ${hint}`)
  if (faults.length === 1) return new KubestepError(`${head}: ${faults[0]}\n${hint}`)
  return new KubestepError([`${head}:`, ...faults.map(fault => `  ${fault}`), hint].join('\n'))
}

function folderFault(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : 'it is not a folder'
  } catch (error) {
    return explain(error)
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
