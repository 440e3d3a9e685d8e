/** A host made of values, for tests of what is found on it. */
import { type HostSource, liveHost } from '../lib/machine/host/host-source.ts'

export interface MemoryHost {
  readonly files?: Readonly<Record<string, string>>
  readonly links?: Readonly<Record<string, string>>
  /** Paths that are sockets or empty folders. */
  readonly sockets?: readonly string[]
  readonly folders?: readonly string[]
  /** Arguments joined by blanks -> exit status, or the output of one that succeeds. Any other command does not exist. */
  readonly commands?: Readonly<Record<string, number | string>>
}

export function memoryHost({
  files = {},
  links = {},
  sockets = [],
  folders = [],
  commands = {},
}: MemoryHost): HostSource {
  const paths = [...Object.keys(files), ...Object.keys(links), ...sockets, ...folders]
  const isFolder = (path: string): boolean =>
    folders.includes(path) || paths.some(other => other.startsWith(`${path}/`))
  return {
    ...liveHost('/nowhere'),
    root: '/',
    read: path => files[path],
    list: path => {
      const inside = paths.filter(other => other.startsWith(`${path}/`))
      return isFolder(path)
        ? [...new Set(inside.map(other => other.slice(path.length + 1).split('/')[0] ?? ''))].sort()
        : undefined
    },
    kind: path =>
      path in files
        ? 'file'
        : sockets.includes(path)
          ? 'socket'
          : path in links
            ? 'link'
            : isFolder(path)
              ? 'folder'
              : undefined,
    link: path => links[path],
    run: async argv => {
      const answer = commands[argv.join(' ')]
      if (answer === undefined) return undefined
      return typeof answer === 'string'
        ? { exitCode: 0, stdout: answer, stderr: '' }
        : { exitCode: answer, stdout: '', stderr: '' }
    },
    environment: {},
  }
}
