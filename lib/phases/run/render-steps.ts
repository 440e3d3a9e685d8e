/** The phases of a run, rendered at once: what their files and objects are, and what they say. */
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { type Issued, type IssueRequest, issueCredentials, issueTogether } from '../../kubeadm/credentials/issue.ts'
import type { ClusterObject } from '../../kubeadm/objects/cluster-object.ts'
import { overlay } from '../../machine/file-overlay.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { ApplyingPhase, Given, Phase, Rendered, RenderingPhase } from '../phase.ts'

/** A phase, or some of its sub-phases, as part of a run. */
export interface Step {
  readonly phase: Phase
  /** Sub-phases; all of them when left out. */
  readonly names?: readonly string[]
}

export interface RenderedStep<Row extends Step> {
  readonly step: Row
  readonly files: readonly FileEntry[]
  /** What is there and stays. */
  readonly kept: readonly FileEntry[]
  readonly objects: readonly ClusterObject[]
}

/**
 * Renders the steps that are not skipped; `say` hears, phase by phase, of the files. Credentials are made together, as
 * their keys take the longest: the rest is rendered meanwhile. Objects come last, because they carry some of them.
 * Throws what the phases throw.
 */
export async function renderSteps<Row extends Step>(
  steps: readonly Row[],
  given: Given,
  skipped: readonly string[],
  say: (phase: Phase, rendered: Rendered) => void,
): Promise<RenderedStep<Row>[]> {
  const wanted = steps
    .map(step => ({ step, names: wantedNames(step, skipped) }))
    .filter(({ names }) => names.length > 0)
  const issue = issuingTogether()
  const written = await Promise.all(
    wanted.map(async ({ step, names }) => ({
      step,
      rendered: writes(step.phase) ? await step.phase.render({ ...given, issue }, names) : undefined,
    })),
  )
  for (const phase of new Set(wanted.map(({ step }) => step.phase))) {
    const its = written.flatMap(({ step, rendered }) => (step.phase === phase && rendered ? [rendered] : []))
    if (its.length > 0) say(phase, joined(its))
  }
  const made = written.flatMap(({ rendered }) => [...(rendered?.kept ?? []), ...(rendered?.files ?? [])])
  const readCredential = overlay(made, given.readCredential)
  return wanted.map(({ step, names }, index) => ({
    step,
    files: written[index]?.rendered?.files ?? [],
    kept: written[index]?.rendered?.kept ?? [],
    objects: applies(step.phase) ? step.phase.objects({ ...given, readCredential }, names).objects : [],
  }))
}

function writes(phase: Phase): phase is RenderingPhase {
  return 'render' in phase
}

function applies(phase: Phase): phase is ApplyingPhase {
  return 'objects' in phase
}

/** The sub-phases that are not skipped; its own name for a phase without any. */
function wantedNames(
  { phase: { name, subphases }, names = subphases }: Step,
  skipped: readonly string[],
): readonly string[] {
  if (subphases.length === 0) return isSkipped(name, skipped) ? [] : [name]
  return names.filter(sub => !isSkipped(`${name}/${sub}`, skipped))
}

function joined(parts: readonly Rendered[]): Rendered {
  return {
    ...parts[0],
    files: parts.flatMap(({ files }) => files),
    messages: parts.flatMap(({ messages }) => messages),
    warnings: parts.flatMap(({ warnings = [] }) => warnings),
  }
}

/** Collects what is asked for in one turn, and issues that together. */
function issuingTogether(): Given['issue'] {
  const requests: IssueRequest[] = []
  let issuing: Promise<readonly Issued[]> | undefined
  return async request => {
    const index = requests.push(request) - 1
    issuing ??= Promise.resolve().then(() => issueTogether(request, ...requests.slice(1)))
    return (await issuing)[index] ?? issueCredentials(request)
  }
}
