/** A folder of components that was made elsewhere: `bin/kubelet`, `bin/kubectl`, `cni/bin/*`, `images/*.tar`. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError, reasonOf } from '../errors.ts'
import { explain } from '../files.ts'
import { commandOf } from '../invocation.ts'
import { archiveImages } from './image-archive.ts'
import { ARCHITECTURES } from './platform.ts'
import { readReference } from './reference.ts'
import { listNames } from './store.ts'

export interface Artifacts {
  readonly kubelet: string
  readonly kubectl?: string
  readonly cniBinDir?: string
  readonly imageArchives: readonly string[]
  /** Images that were asked for and are in none of the archives. */
  readonly missingImages: readonly string[]
}

/** What has to be in the folder, and where it can be had. */
const REQUIRED = [{ path: 'bin/kubelet', about: 'the kubelet' }] as const

/**
 * Finds what a folder has. Throws a KubestepError that names everything that is missing or wrong, and what to put where.
 * `images` are the names that should be in its archives; an archive may have more.
 */
export async function readArtifacts(
  folder: string,
  arch: string,
  version: string,
  images: readonly string[] = [],
): Promise<Artifacts> {
  const found = (path: string): string | undefined => (isFile(join(folder, path)) ? join(folder, path) : undefined)
  const faults: string[] = REQUIRED.filter(({ path }) => found(path) === undefined).map(
    ({ path, about }) =>
      `${join(folder, path)} is missing: put ${about} of Kubernetes ${version} for linux/${arch} there`,
  )
  const kubectl = found('bin/kubectl')
  const kubelet = found('bin/kubelet')
  for (const binary of [kubelet, kubectl]) {
    const fault = binary === undefined ? undefined : binaryFault(binary, arch)
    if (fault !== undefined) faults.push(fault)
  }
  const cni = join(folder, 'cni/bin')
  const imageArchives = listNames(join(folder, 'images'))
    .filter(name => name.endsWith('.tar'))
    .map(name => join(folder, 'images', name))
  const contents = await Promise.allSettled(imageArchives.map(archiveImages))
  for (const content of contents) if (content.status === 'rejected') faults.push(reasonOf(content.reason))
  if (kubelet === undefined || faults.length > 0) throw artifactsError(folder, version, faults)
  const present = contents.map(content => (content.status === 'fulfilled' ? content.value : undefined))
  return {
    kubelet,
    ...(kubectl !== undefined && { kubectl }),
    ...(listNames(cni).length > 0 && { cniBinDir: cni }),
    imageArchives,
    missingImages: missing(images, present),
  }
}

function missing(wanted: readonly string[], present: readonly (readonly string[] | undefined)[]): string[] {
  // What is in a compressed archive cannot be told.
  if (present.includes(undefined)) return []
  const there = new Set(present.flatMap(list => list ?? []).map(wholeName))
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
  return new KubestepError([`${head}:`, ...faults.map(fault => `  ${fault}`), hint].join('\n'))
}

function folderFault(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : 'it is no folder'
  } catch (error) {
    return explain(error)
  }
}

/** What is wrong with a program by its first bytes; scripts and whatever else the kernel runs pass. */
function binaryFault(path: string, arch: string): string | undefined {
  const head = Buffer.alloc(20)
  try {
    const file = openSync(path, 'r')
    const length = readSync(file, head, 0, head.length, 0)
    closeSync(file)
    if (length === 0) return `${path} is empty: put the real one there`
  } catch (error) {
    return `${path} cannot be read: ${explain(error)}`
  }
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  // Byte 5 tells the byte order. Source: elf(5).
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)
  const is = ARCHITECTURES.find(({ elf }) => elf === machine)?.go ?? `machine ${machine}`
  return is === arch ? undefined : `${path} is for ${is}: put the one for ${arch} there`
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
