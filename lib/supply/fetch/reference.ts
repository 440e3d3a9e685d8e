/** Names of images, as containerd writes them. Source: github.com/distribution/reference (v0.6). */
import { KubestepError } from '../../base/errors.ts'

export interface Reference {
  /** E.g. `registry.k8s.io`, `127.0.0.1:5000`. */
  readonly host: string
  /** E.g. `coredns/coredns`. */
  readonly repository: string
  /** E.g. `v1.14.2`; `latest` when the name has none and no digest either. */
  readonly tag?: string
  /** E.g. `sha256:...`; counts before the tag. */
  readonly digest?: string
  /** The whole name, e.g. `docker.io/library/busybox:1.35`. */
  readonly name: string
}

const REFERENCE = /^([^@]+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/

/** Reads an image name; short ones are Docker Hub's. Throws a KubestepError. */
export function readReference(text: string): Reference {
  const [, path = '', tag, digest] = REFERENCE.exec(text) ?? []
  const [first = '', ...rest] = path.split('/')
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const host = hasHost ? first : 'docker.io'
  const named = hasHost ? rest.join('/') : path
  const repository = host === 'docker.io' && !named.includes('/') ? `library/${named}` : named
  if (!/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(repository)) {
    throw new KubestepError(
      `images: cannot use image ${JSON.stringify(text)}: it is not an image name; write it like registry.k8s.io/pause:3.10.2`,
    )
  }
  const chosen = tag ?? (digest === undefined ? 'latest' : undefined)
  return {
    host,
    repository,
    ...(chosen !== undefined && { tag: chosen }),
    ...(digest !== undefined && { digest }),
    name: `${host}/${repository}${chosen === undefined ? '' : `:${chosen}`}${digest === undefined ? '' : `@${digest}`}`,
  }
}

/** Where the registry of a reference answers. Like containerd, plain http for this machine itself alone. */
export function registryAddress({ host }: Reference): string {
  const name = host === 'docker.io' ? 'registry-1.docker.io' : host
  const local = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host)
  return `${local ? 'http' : 'https'}://${name}`
}
