/** containerd's configuration as packages leave it. Pure parsing of what little of it matters. */

/** Where packages put it. */
export const CONTAINERD_CONFIG = '/etc/containerd/config.toml'

/** Whether the CRI plugin is switched off, as in Docker's package. Source: containerd docs/cri/config.md, docs/PLUGINS.md. */
export function isCriDisabled(toml: string): boolean {
  const list = /^\s*disabled_plugins\s*=\s*\[([^\]]*)\]/m.exec(withoutComments(toml))?.[1] ?? ''
  return /["'](io\.containerd\.grpc\.v1\.)?cri["']/.test(list)
}

function withoutComments(toml: string): string {
  return toml
    .split('\n')
    .filter(line => !line.trim().startsWith('#'))
    .join('\n')
}
