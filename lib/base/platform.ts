/** Processor architectures, in the names that Go and the download sites use. */
import { KubestepError, UsageError } from './errors.ts'

export interface Architecture {
  /** In URLs and image platforms, e.g. `amd64`. */
  readonly go: string
  /** As Node calls it. */
  readonly node: string
  /** As uname -m calls it. */
  readonly also: string
  /** `e_machine` of its ELF files. Source: elf(5). */
  readonly elf: number
}

/** What Kubernetes publishes node binaries for. Source: kubernetes hack/lib/golang.sh (v1.36). */
export const ARCHITECTURES: readonly Architecture[] = [
  { go: 'amd64', also: 'x86_64', node: 'x64', elf: 62 },
  { go: 'arm64', also: 'aarch64', node: 'arm64', elf: 183 },
  { go: 'ppc64le', also: 'ppc64le', node: 'ppc64', elf: 21 },
  { go: 's390x', also: 's390x', node: 's390x', elf: 22 },
]

/** Go's name of this machine's architecture. Throws a KubestepError where there is no Kubernetes for it. */
export function architecture(node: string = process.arch): string {
  const known = ARCHITECTURES.find(row => row.node === node)
  if (known !== undefined) return known.go
  throw new KubestepError(
    `components: cannot run on architecture "${node}": Kubernetes is published for ${ARCHITECTURES.map(({ go }) => go).join(', ')}; use such a machine`,
  )
}

/** What `--arch` asks for, or this machine's own. Throws a UsageError for one that Kubernetes is not published for. */
export function chosenArchitecture(wanted: string | undefined): string {
  const known = ARCHITECTURES.map(({ go }) => go)
  if (wanted === undefined) return architecture()
  if (known.includes(wanted)) return wanted
  const hint = ARCHITECTURES.find(({ node, also }) => node === wanted || also === wanted)?.go
  throw new UsageError(
    `components: cannot use architecture "${wanted}": ${hint === undefined ? `Kubernetes is published for ${known.join(', ')}` : `its name here is ${hint}`}; correct --arch`,
  )
}
