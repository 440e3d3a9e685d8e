/** Names of versions (`stable`, `1.36`) in flags and configuration, and what they stand for today. */

import { join } from 'node:path'
import { DEFAULT_VERSION } from '../../base/defaults.ts'
import { KubestepError, UsageError } from '../../base/errors.ts'
import { parseVersion } from '../../base/version.ts'
import type { Flags } from '../../cli/options.ts'
import type { Output } from '../../cli/output.ts'
import { readSource } from '../../kubeadm/config/config-source.ts'
import { isDryRun } from '../../kubeadm/config/dry-run.ts'
import { isVersionName, newestKnown, readVersionName } from '../../kubeadm/config/named-versions.ts'
import { $ } from '../../machine/command.ts'
import type { OnProgress } from '../fetch/fetch-progress.ts'

/** Looking a name up, with all tries. */
const LIMIT_MS = 30_000
/** The same for what does not depend on the answer. */
const GUESS_LIMIT_MS = 5_000

export interface NamesOptions {
  /** The newest release known will do where a name cannot be looked up. */
  readonly guess?: boolean
  /** It will do at once, and nothing is contacted. So it is for a dry run. */
  readonly still?: boolean
}

/**
 * What the names in flags and a configuration's text stand for: as --artifacts has it, or looked up on the network.
 * Where every version is complete nothing is contacted. Throws a KubestepError, within ten seconds when no host can
 * be reached, with the hosts that were tried and the ways out.
 */
export async function namedVersions(
  { text, flags }: { readonly text?: string; readonly flags: Flags },
  output: Pick<Output, 'warn'>,
  { guess = false, still = false }: NamesOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const onProgress: OnProgress = event => {
    if (event.kind === 'notice') output.warn(`version: ${event.text}`)
  }
  const names = [...new Set(namesIn(text, flags))]
  const staysHere =
    flags.artifacts === undefined &&
    (still || (names.length > 0 && isDryRun(text === undefined ? {} : { text }, flags)))
  const found = await Promise.all(
    names.map(async (name): Promise<readonly [string, string]> => {
      const read = readVersionName(name)
      const guessed = (why: string): readonly [string, string] => {
        const known = newestKnown(read ?? { bucket: 'release', label: name })
        output.warn(`version: ${JSON.stringify(name)} is taken as ${known}, the newest known here: ${why}`)
        return [name, known]
      }
      if (staysHere && read !== undefined) return guessed('nothing is looked up now; a real run does that')
      try {
        return [name, await standsFor(name, flags, onProgress, guess ? GUESS_LIMIT_MS : LIMIT_MS)]
      } catch (error) {
        if (!guess || read === undefined || !(error instanceof LookUpError)) throw error
        return guessed(error.reason)
      }
    }),
  )
  return Object.fromEntries(found)
}

/** A name that could not be looked up; `reason` is in a line what the message says in several. */
class LookUpError extends KubestepError {
  override readonly name: string = 'LookUpError'
  readonly reason: string

  constructor(message: string, options: ErrorOptions) {
    super(message, options)
    const [first = '', ...rest] = message.split('\n')
    const tried = rest.filter(line => /^ {2}\S+: |^ {2}\S+ \(proxy/.test(line) && !/^ {2}-/.test(line)).slice(0, 1)
    this.reason = [
      first.replace(/^\w+: cannot /, 'cannot ').replace(/; tried$/, ''),
      ...tried.map(line => line.trim()),
    ].join(': ')
  }
}

/** Names in the order of flags, file. A file is only read for good when it seems to have one. */
function namesIn(text: string | undefined, flags: Flags): string[] {
  const flagged = flags['kubernetes-version'] ?? ''
  const written = [...(text ?? '').matchAll(/\bkubernetesVersion["']?\s*:\s*["']?([^\s"',}#]+)/g)].map(
    ([, name = '']) => name,
  )
  const inFile = written.some(isVersionName) ? [configured(text ?? '')] : []
  return [flagged, ...inFile].filter(isVersionName)
}

function configured(text: string): string {
  const { kubernetesVersion } = readSource({ text }).drafts.ClusterConfiguration ?? {}
  return typeof kubernetesVersion === 'string' ? kubernetesVersion : ''
}

async function standsFor(name: string, flags: Flags, onProgress: OnProgress, limitMs: number): Promise<string> {
  if (flags.artifacts !== undefined) return artifactsVersion(name, flags.artifacts)
  const { fetchingOf } = await import('./fetch-options.ts')
  const { lookUpVersion } = await import('./version-labels.ts')
  try {
    return await lookUpVersion(name, fetchingOf(flags, AbortSignal.timeout(limitMs), onProgress))
  } catch (error) {
    if (!(error instanceof KubestepError) || error instanceof UsageError) throw error
    const way = `an exact version, as in ${DEFAULT_VERSION}: nothing is looked up then`
    throw new LookUpError(`${error.message}\n  ${way}`, { cause: error })
  }
}

/** Nothing is downloaded then: the kubelet in the folder says what it is. */
async function artifactsVersion(name: string, folder: string): Promise<string> {
  const { stdout } = await $({ nothrow: true, timeout: 10_000 })`${join(folder, 'bin/kubelet')} --version`
  const version = /\bv\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? ''
  const fault = artifactsFault(name, version)
  if (fault === undefined) return version
  throw new KubestepError(`version: cannot use ${JSON.stringify(name)} with --artifacts "${folder}": ${fault}`)
}

/** Why a folder whose kubelet says that version will not do for a name; undefined when it does. */
export function artifactsFault(name: string, version: string): string | undefined {
  const found = parseVersion(version)
  if (found === undefined) return 'its bin/kubelet does not say which version it is; write the version whole'
  const minor = /(\d+\.\d+)$/.exec(name)?.[1]
  if (minor === undefined || minor === `${found.major}.${found.minor}`) return undefined
  return `its kubelet is ${version}; write that, or name another folder`
}
