/** Mirrors of registries as containerd reads them, so that the Pods of a cluster get their images there, too. */
import { join } from 'node:path'
import type { FileEntry } from '../../machine/files.ts'
import { FILE_HOSTS } from '../components/component-table.ts'
import type { Mirrors } from '../fetch/mirrors.ts'
import { HOSTS_FOLDER, mirrorBase } from '../registry/registry-endpoints.ts'

/**
 * The files of such a folder: for each registry its mirrors, in their order. The registry itself comes last: containerd
 * leaves nobody out. Source: containerd docs/hosts.md (1.6).
 */
export function registryFiles({ hosts }: Mirrors, folder: string): FileEntry[] {
  const registries = [...hosts].filter(([host]) => !FILE_HOSTS.includes(host))
  return registries.map(([registry, mirrors]) => ({
    path: join(folder, registry, 'hosts.toml'),
    mode: 0o644,
    content: [
      '# Written by kubestep; removed by its reset.',
      ...mirrors.flatMap(url => [
        `[host.${JSON.stringify(mirrorBase(url))}]`,
        '  capabilities = ["pull", "resolve"]',
        '  override_path = true',
      ]),
      '',
    ].join('\n'),
  }))
}

/**
 * Where a registry without TLS is found, in the form of `--mirror`: one on localhost also at this machine's address, for
 * nodes in a network of their own.
 */
export function placesOf(registry: string, address: string): string {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(registry) ?? []
  const isLocal = /^(?:localhost|127\.|\[::1\])/.test(host)
  const own = address.includes(':') ? `[${address}]` : address
  return [host, ...(isLocal ? [own] : [])].map(place => `${registry}=http://${place}:${port}`).join(',')
}

/** What containerd's `config_path` has to be: our folder where it has files, and the machine's own. */
export function registryPath(files: readonly FileEntry[], folder: string): string {
  return [...(files.length > 0 ? [folder] : []), HOSTS_FOLDER].join(':')
}
