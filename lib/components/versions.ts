/** Names of Kubernetes versions: complete ones, and the labels under which the newest release is published. */
import { DEFAULT_VERSION } from '../config/kubernetes-version.ts'
import { KubestepError } from '../errors.ts'
import { formatVersion, parseVersion } from '../version.ts'

/** Gives the text of a file below dl.k8s.io, e.g. `release/stable-1.36.txt`. */
export type FetchText = (path: string) => Promise<string>

type Bucket = 'release' | 'ci'

/**
 * The complete version that a name stands for, with `v`, and with `ci/` before it for a build of Kubernetes' own CI.
 * Names: `v1.36.2`, `1.36.2`, `1.36` (its newest patch release), `stable`, `latest` (pre-releases too), `stable-1.36`,
 * `latest-1.37`, `1.37.0-rc.1`, `ci/latest`, `ci/latest-1.37`, `ci/v1.37.0-alpha.1.5+0123abc`; no name: the default.
 * Only what is not complete is looked up. Throws a KubestepError. Source: kubeadm util/version.go (v1.36).
 */
export async function resolveVersion(name: string | undefined, fetchText: FetchText): Promise<string> {
  if (name === undefined || name === '') return DEFAULT_VERSION
  const [, prefix, rest = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(name) ?? []
  const bucket: Bucket = prefix === 'ci' ? 'ci' : 'release'
  const complete = parseVersion(rest)
  if (complete !== undefined) return named(bucket, formatVersion(complete))
  const label = labelOf(bucket, rest)
  if (label === undefined) {
    throw new KubestepError(
      `version: cannot use ${JSON.stringify(name)}: it is no version; write it as in ${DEFAULT_VERSION}, 1.36, stable or latest`,
    )
  }
  const text = (await fetchText(`${bucket}/${label}.txt`)).trim()
  const found = parseVersion(text)
  if (found === undefined || !text.startsWith('v')) {
    throw new KubestepError(
      `version: cannot use ${JSON.stringify(name)}: the answer for ${bucket}/${label}.txt is no version but ${JSON.stringify(text.slice(0, 60))}; a proxy or a mirror may be in the way`,
    )
  }
  const minor = /-(\d+\.\d+)$/.exec(label)?.[1]
  if (minor !== undefined && minor !== `${found.major}.${found.minor}`) {
    throw new KubestepError(
      `version: cannot use ${JSON.stringify(name)}: ${bucket}/${label}.txt names ${text}, of another minor; write the version whole`,
    )
  }
  return named(bucket, text)
}

/** Whether a name has to be looked up: it is neither complete nor nonsense. */
export function isVersionName(name: string): boolean {
  const [, prefix, rest = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(name) ?? []
  return parseVersion(rest) === undefined && labelOf(prefix === 'ci' ? 'ci' : 'release', rest) !== undefined
}

/** The label to look up: `1.36` is `stable-1.36`, `ci/1.37` is `latest-1.37`; CI has labels of its own, e.g. `k8s-master`. */
function labelOf(bucket: Bucket, name: string): string | undefined {
  const minor = /^v?(\d+\.\d+)$/.exec(name)?.[1]
  if (minor !== undefined) return `${bucket === 'ci' ? 'latest' : 'stable'}-${minor}`
  if (/^(?:stable|latest)(?:-\d+(?:\.\d+)?)?$/.test(name)) return name
  return bucket === 'ci' && /^[a-z][-a-z0-9.]*$/.test(name) ? name : undefined
}

function named(bucket: Bucket, version: string): string {
  return bucket === 'ci' ? `ci/${version}` : version
}
