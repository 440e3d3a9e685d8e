/** Looking up version labels such as stable-1.36, remembered for a machine that has lost its network. */
import { join } from 'node:path'
import { isInCustody, thisUser } from '../../machine/file-custody.ts'
import { readText, writeText } from '../fetch/cache-store.ts'
import { FetchError, failureError } from '../fetch/fetch-failure.ts'
import type { OnProgress } from '../fetch/fetch-progress.ts'
import { fetchText } from '../fetch/http-answer.ts'
import type { Limits } from '../fetch/limits.ts'
import { type Mirrors, readMirrors } from '../fetch/mirrors.ts'
import { type Network, openNetwork } from '../fetch/network.ts'
import { labelSources } from './component-table.ts'
import { type FetchText, resolveVersion } from './version-names.ts'

export interface Labels {
  readonly mirrors: Mirrors
  readonly cacheDir: string
  readonly network: Network
  readonly onProgress: OnProgress
}

/**
 * Reads the texts below dl.k8s.io that name versions. When no host can be reached the answer of an earlier run
 * counts, with a notice. Its functions throw a KubestepError.
 */
export function labelReader({ mirrors, cacheDir, network, onProgress }: Labels): FetchText {
  return async path => {
    const remembered = join(cacheDir, 'labels', path)
    try {
      const read = (text: string): string | undefined => /^v\d[-+.\w]*$/.exec(text.trim())?.[0]
      const subject = `the version that ${path} names`
      const version = await fetchText({ subject, urls: labelSources(path, mirrors) }, network, {
        read,
        kind: 'version',
      })
      await writeText(remembered, `${version}\n`)
      return version
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      // A version that somebody else could have written there may be an old one with holes.
      const known = isInCustody(remembered, thisUser()) ? readText(remembered)?.trim() : undefined
      if (known === undefined || error.failure.complaints.some(({ reached }) => reached)) {
        throw failureError([error.failure])
      }
      onProgress({ kind: 'notice', text: `${path} cannot be looked up; taking ${known}, as it was when last seen` })
      return known
    }
  }
}

export interface LookUp {
  /** Replaces the hosts; several addresses are separated by commas. */
  readonly mirror?: string
  readonly cacheDir: string
  readonly deadline: AbortSignal
  readonly onProgress?: OnProgress
  readonly limits?: Partial<Limits>
  /** Contact nothing: what an earlier run was told counts. */
  readonly offline?: boolean
}

/** The complete version that a name stands for, looked up when need be. Throws a KubestepError. */
export async function lookUpVersion(name: string | undefined, options: LookUp): Promise<string> {
  const { mirror, cacheDir, deadline, limits, offline = false, onProgress = () => {} } = options
  const network = openNetwork({ deadline, offline, ...(limits !== undefined && { limits }) })
  try {
    return await resolveVersion(name, labelReader({ mirrors: readMirrors(mirror), cacheDir, network, onProgress }))
  } finally {
    network.close()
  }
}
