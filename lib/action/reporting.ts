/**
 * What the action tells the runner, through @actions/core. A runner that lacks one of the files for it (older Gitea and
 * Forgejo ones) must not make a step fail.
 */
import { appendFileSync } from 'node:fs'
import * as core from '@actions/core'
import type { Failure } from './failure.ts'
import type { OutputName } from './outputs.ts'

/** Does it, unless this runner cannot. */
function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    core.debug(`the runner does not take it: ${error}`)
  }
}

export function setOutput(name: OutputName, value: string): void {
  attempt(() => core.setOutput(name, value))
}

export function exportVariable(name: string, value: string): void {
  attempt(() => core.exportVariable(name, value))
}

export function addPath(folder: string): void {
  attempt(() => core.addPath(folder))
}

/** What main knows and post has to. */
export type StateName = 'started' | 'failed' | 'cacheKey'

export function saveState(name: StateName, value: string): void {
  attempt(() => core.saveState(name, value))
}

export function state(name: StateName): string {
  return core.getState(name)
}

/** Hides a value in every log from here on. */
export function mask(value: string): void {
  if (value.trim() !== '') core.setSecret(value)
}

/** Adds to the page of the run. */
export function addSummary(markdown: string): void {
  const file = process.env.GITHUB_STEP_SUMMARY
  // Appended at once and not through core.summary, which is asynchronous: a step that is being killed still says why.
  if (file) attempt(() => appendFileSync(file, `${markdown}\n`))
}

/** The one error annotation of a step, and its red cross. */
export function fail({ title, text }: Failure): void {
  core.error(text, { title })
  process.exitCode = 1
}

export { debug, endGroup, info, startGroup, warning } from '@actions/core'
