/** A plan of what is kept and what will be made: nothing is generated or written before it is whole and faultless. */
import type { FileEntry } from '../../machine/files.ts'
import type { Certificate } from './certificate.ts'
import type { AuthorityName } from './certificates.ts'
import type { PrivateKey } from './keys.ts'
import type { Issuer } from './x509.ts'

/** A CA that can sign. */
export interface Signer {
  readonly certificate: Certificate
  readonly key: PrivateKey
}

export interface Made {
  readonly files: readonly FileEntry[]
  /** Lines as kubeadm prints them. */
  readonly messages: readonly string[]
  /** Set by the step that makes a CA. */
  readonly authority?: Signer & { readonly name: AuthorityName }
}

/** One thing in kubeadm's order: done already, or made from a fresh key once the CAs before it are there. */
export type Step = Made | { readonly make: (key: PrivateKey, signer: (name: AuthorityName) => Signer) => Made }

export interface Plan {
  readonly steps: readonly Step[]
  /** Everything that keeps the plan from being carried out, complete messages. */
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
  /** Existing files that a dry run takes along. */
  readonly kept: readonly FileEntry[]
}

export const NOTHING: Plan = { steps: [], faults: [], warnings: [], kept: [] }

/** A plan that cannot be carried out. */
export function refusal(...faults: readonly string[]): Plan {
  return { ...NOTHING, faults }
}

/** A plan that only says something. */
export function remark(message: string, kept: readonly FileEntry[] = []): Plan {
  return { ...NOTHING, steps: [{ files: [], messages: [message] }], kept }
}

/** A message with the paths of the host in it as they really lie: below --root, or in the tree of a dry run. */
export function placed(message: string, place: (path: string) => string = path => path): string {
  return message.replace(/"(\/[^"\n]+)"/g, (_all, path: string) => `"${place(path)}"`)
}

/** Several plans, one after the other. */
export function joinPlans(plans: readonly Plan[]): Plan {
  return {
    steps: plans.flatMap(({ steps }) => steps),
    faults: [...new Set(plans.flatMap(({ faults }) => faults))],
    warnings: plans.flatMap(({ warnings }) => warnings),
    kept: plans.flatMap(({ kept }) => kept),
  }
}

/** What a certificate takes from the CA that signs it. */
export function issuerOf({ certificate, key }: Signer): Issuer {
  const { subjectBytes, keyIdentifier } = certificate
  return { key, subject: subjectBytes, ...(keyIdentifier !== undefined && { keyIdentifier }) }
}

/** Modes of what is written. Source: kubeadm util/pkiutil (v1.36). */
export const MODE = { certificate: 0o644, secret: 0o600 } as const
