/** Whether an existing certificate is good for what it is meant for. */
import { type Certificate, isSignedBy } from './certificate.ts'
import { MASTERS } from './certificates.ts'
import { enumerate } from './credential-store.ts'
import { type AlternativeNames, type Subject, USAGE_OIDS, type Usage } from './x509.ts'

/** What a leaf must be good for. */
export interface Expectation {
  /** Undefined when it may name whomever its CA's owner chose. */
  readonly subject?: Subject
  readonly names: AlternativeNames
  readonly usages: readonly Usage[]
}

/** Whether `root` vouches for a certificate, directly or through some of the intermediates. */
export function chains(leaf: Certificate, intermediates: readonly Certificate[], root: Certificate): boolean {
  if (isSignedBy(leaf, root)) return true
  return intermediates.some(
    one =>
      one.ca &&
      isSignedBy(leaf, one) &&
      chains(
        one,
        intermediates.filter(other => other !== one),
        root,
      ),
  )
}

/** What a certificate lacks of what is expected: subject, names and usages; more than expected is no fault. */
export function identityFaults(leaf: Certificate, { subject, names, usages }: Expectation): string[] {
  const faults: string[] = []
  const { commonName, organizations } = leaf.subject
  if (subject !== undefined && commonName !== subject.commonName) {
    faults.push(`it names "${commonName}" where "${subject.commonName}" is expected`)
  }
  const groups = subject?.organizations.filter(group => !organizations.includes(group)) ?? []
  // The group of masters may do all that any other may.
  if (groups.length > 0 && !organizations.includes(MASTERS)) {
    faults.push(`it lacks the organization ${enumerate(groups.map(group => JSON.stringify(group)))}`)
  }
  const missing = [
    ...names.dnsNames.filter(name => !leaf.names.dnsNames.some(pattern => covers(pattern, name))),
    ...names.ipAddresses.filter(address => !leaf.names.ipAddresses.includes(address)),
  ]
  if (missing.length > 0) faults.push(`it is not valid for ${enumerate(missing)}`)
  const unusable = usages.filter(usage => leaf.usages !== undefined && !leaf.usages.includes(USAGE_OIDS[usage]))
  if (unusable.length > 0) faults.push(`it lacks the usage ${enumerate(unusable)}`)
  return faults
}

// A wildcard stands for one label, and for itself.
function covers(pattern: string, name: string): boolean {
  const lower = pattern.toLowerCase()
  if (lower === name.toLowerCase()) return true
  return lower.startsWith('*.') && lower.slice(1) === name.toLowerCase().replace(/^[^.]*/, '')
}
