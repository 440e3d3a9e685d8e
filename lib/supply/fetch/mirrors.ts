/** What `--mirror` says: places that stand for all download hosts, and places that stand for one host or registry. */
import { KubestepError } from '../../base/errors.ts'

export interface Mirrors {
  /** Addresses that stand for every host that files come from, first choice first. */
  readonly files: readonly string[]
  /** Addresses that stand for one host alone, a registry or a download site: `registry.k8s.io`, `dl.k8s.io`. */
  readonly hosts: ReadonlyMap<string, readonly string[]>
}

export const NO_MIRRORS: Mirrors = { files: [], hosts: new Map() }

/**
 * Reads `URL` and `HOST=URL`, one or several separated by commas. Throws a KubestepError that names the wrong ones.
 */
export function readMirrors(text: string | undefined): Mirrors {
  const parts = (text ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  const rows = parts.map(part => {
    const [, host, address = ''] = /^(?:([^=/]*)=)?(.*)$/.exec(part) ?? []
    return { part, host, address: address.replace(/\/+$/, '') }
  })
  const wrong = rows.filter(({ host, address }) => host === '' || !/^https?:\/\/[^/]/.test(address))
  if (wrong.length > 0) {
    throw new KubestepError(
      wrong
        .map(
          ({ part }) =>
            `components: cannot use mirror ${JSON.stringify(part)}: it is not an http or https address; write it like https://mirror.example.org/kubernetes or registry.k8s.io=https://mirror.example.org, or use --artifacts for a folder`,
        )
        .join('\n'),
    )
  }
  const hosts = new Map<string, readonly string[]>()
  for (const { host, address } of rows) {
    if (host !== undefined) hosts.set(host, [...(hosts.get(host) ?? []), address])
  }
  return { files: rows.filter(({ host }) => host === undefined).map(({ address }) => address), hosts }
}
