/** Names of Kubernetes versions: complete ones, and the labels under which the newest release is published. */

import { DEFAULT_VERSION } from '../../base/defaults.ts'
import { KubestepError } from '../../base/errors.ts'
import { formatVersion, parseVersion } from '../../base/version.ts'
import { type Bucket, lostZero, readVersionName } from '../../kubeadm/config/named-versions.ts'

/** Gives the text of a file below dl.k8s.io, e.g. `release/stable-1.36.txt`. */
export type FetchText = (path: string) => Promise<string>

/**
 * The complete version that a name stands for, with `v`, and with `ci/` before it for a build of Kubernetes' own CI.
 * Names: `v1.36.2`, `1.36.2`, `1.36` (its newest patch release), `stable`, `latest` (pre-releases too), `stable-1.36`,
 * `latest-1.37`, `1.37.0-rc.1`, `ci/latest`, `ci/latest-1.37`, `ci/v1.37.0-alpha.1.5+0123abc`; no name: the default.
 * Only what is not complete is looked up. Throws a KubestepError. Source: kubeadm util/version.go (v1.36).
 */
export async function resolveVersion(name: string | undefined, fetchText: FetchText): Promise<string> {
  if (name === undefined || name === '') return DEFAULT_VERSION
  const found = readVersionName(name)
  if (found === undefined) {
    const [, prefix, rest = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(name) ?? []
    const complete = parseVersion(rest)
    if (complete !== undefined) return named(prefix === 'ci' ? 'ci' : 'release', formatVersion(complete))
    const reason = lostZero(rest) ?? `it is not a version; write it like ${DEFAULT_VERSION}, 1.36, stable or latest`
    throw new KubestepError(`version: cannot use ${JSON.stringify(name)}: ${reason}`)
  }
  const { bucket, label } = found
  const text = (await fetchText(`${bucket}/${label}.txt`)).trim()
  const version = parseVersion(text)
  if (version === undefined || !text.startsWith('v')) {
    throw new KubestepError(
      `version: cannot use ${JSON.stringify(name)}: the answer for ${bucket}/${label}.txt is not a version but ${JSON.stringify(text.slice(0, 60))}; a proxy or a mirror may be in the way`,
    )
  }
  const minor = /-(\d+\.\d+)$/.exec(label)?.[1]
  if (minor !== undefined && minor !== `${version.major}.${version.minor}`) {
    throw new KubestepError(
      `version: cannot use ${JSON.stringify(name)}: ${bucket}/${label}.txt names ${text}, of another minor; write the version whole`,
    )
  }
  return named(bucket, text)
}

function named(bucket: Bucket, version: string): string {
  return bucket === 'ci' ? `ci/${version}` : version
}
