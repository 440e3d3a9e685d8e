/**
 * The part of @actions/cache that packs and unpacks, in its place in the bundle. The library's own unpacks with `tar -P`,
 * which writes wherever an entry asks to: over the bundles that root starts next. Here nothing leaves the folder, and
 * what is not a plain file in it goes before anybody looks.
 * Source: @actions/cache 6 (internal/tar), whose names of methods and files these are.
 */
import { lstatSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listNames } from '../supply/fetch/cache-store.ts'
import { run } from './run-as-root.ts'

type Method = 'gzip' | 'zstd' | 'zstd-without-long'

interface Compression {
  readonly file: string
  readonly pack: readonly string[]
  readonly unpack: readonly string[]
}

const COMPRESSIONS: Readonly<Record<Method, Compression>> = {
  gzip: { file: 'cache.tgz', pack: ['-z'], unpack: ['-z'] },
  zstd: {
    file: 'cache.tzst',
    pack: ['--use-compress-program', 'zstd -T0 --long=30'],
    unpack: ['--use-compress-program', 'zstd -d --long=30'],
  },
  'zstd-without-long': {
    file: 'cache.tzst',
    pack: ['--use-compress-program', 'zstd -T0'],
    unpack: ['--use-compress-program', 'zstd -d'],
  },
}

/** What an entry is made of again, or must not be believed: records of another machine, unfinished files, unpacked ones. */
const LEFT_OUT: readonly RegExp[] = [/\.sha256$/, /\.part$/, /\.tmp$/, /^labels$/, /^runtimes$/]

/** The folder that the paths of an entry are relative to. */
function parentFolder(): string {
  return process.env.GITHUB_WORKSPACE ?? process.cwd()
}

/** Packs folders; throws an Error. */
export async function createTar(archiveFolder: string, folders: readonly string[], method: Method): Promise<void> {
  const { file, pack } = COMPRESSIONS[method]
  const excluded = ['*.sha256', '*.part', '*.tmp', '*/labels', '*/runtimes', '*/cni-plugins/*/bin'].map(
    name => `--exclude=${name}`,
  )
  await tar([
    '--posix',
    '-c',
    '-f',
    join(archiveFolder, file),
    ...pack,
    '-C',
    parentFolder(),
    ...excluded,
    '--',
    ...folders,
  ])
}

/** Unpacks the folder that is wanted, and nothing else; throws an Error. */
export async function extractTar(archive: string, method: Method): Promise<void> {
  const folder = wantedFolder()
  const { unpack } = COMPRESSIONS[method]
  // Without -P tar refuses .. and what begins at the root, and writes through no link of the archive itself.
  const careful = ['--no-same-owner', '--no-same-permissions', '--delay-directory-restore']
  try {
    await tar(['-x', '-f', archive, ...unpack, '-C', parentFolder(), ...careful, '--', basename(folder)])
  } finally {
    // Also of what came before tar refused the rest.
    sweep(join(parentFolder(), basename(folder)))
  }
}

/** For debugging alone, in the library. */
export async function listTar(): Promise<void> {}

/** `restore KEY FOLDER` */
function wantedFolder(): string {
  return process.argv[4] ?? ''
}

/** Leaves plain files and folders, none of which anybody could take for a record of this machine. */
function sweep(folder: string): void {
  for (const name of listNames(folder)) {
    const path = join(folder, name)
    const stats = lstatSync(path)
    const isPlain = stats.isDirectory() || (stats.isFile() && stats.nlink === 1)
    if (!isPlain || LEFT_OUT.some(pattern => pattern.test(name))) rmSync(path, { recursive: true, force: true })
    else if (stats.isDirectory()) sweep(path)
  }
}

async function tar(args: readonly string[]): Promise<void> {
  const { status, stderr } = await run(['tar', ...args])
  if (status !== 0) throw new Error(`tar ended with status ${status}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
}
