/** Processor architectures, in the names that Go and the download sites use. */
import { KubestepError } from '../errors.ts'

export interface Architecture {
  /** In URLs and image platforms, e.g. `amd64`. */
  readonly go: string
  /** As Node calls it. */
  readonly node: string
  /** `e_machine` of its ELF files. Source: elf(5). */
  readonly elf: number
}

/** What Kubernetes publishes node binaries for. Source: kubernetes hack/lib/golang.sh (v1.36). */
export const ARCHITECTURES: readonly Architecture[] = [
  { go: 'amd64', node: 'x64', elf: 62 },
  { go: 'arm64', node: 'arm64', elf: 183 },
  { go: 'ppc64le', node: 'ppc64', elf: 21 },
  { go: 's390x', node: 's390x', elf: 22 },
]

/** Go's name of this machine's architecture. Throws a KubestepError where there is no Kubernetes for it. */
export function architecture(node: string = process.arch): string {
  const known = ARCHITECTURES.find(row => row.node === node)
  if (known !== undefined) return known.go
  throw new KubestepError(
    `components: cannot run on architecture "${node}": Kubernetes is published for ${ARCHITECTURES.map(({ go }) => go).join(', ')}; use such a machine`,
  )
}
