/**
 * What the action tells the runner, through @actions/core: one mask for all of it, and lines that are no commands,
 * whatever they say. A runner that lacks one of the files for it (older Gitea and Forgejo ones) must not make a step fail.
 */
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import * as core from '@actions/core'
import type { JsonObject } from '../base/json.ts'
import { maskJson, secretMask } from '../base/secrets.ts'
import type { Failure } from './failure-report.ts'
import type { OutputName } from './outputs.ts'

/** What main knows and post has to. */
export type StateName = 'started' | 'failed' | 'cacheKey' | 'owner' | 'kubeconfig'

export interface Reporting {
  /** A line for people, or several; none of it is a command of the runner's. */
  readonly info: (text: string) => void
  readonly debug: (text: string) => void
  readonly warning: (text: string) => void
  readonly startGroup: (title: string) => void
  readonly endGroup: () => void
  readonly setOutput: (name: OutputName, value: string) => void
  /** An output that holds JSON. */
  readonly setJson: (name: OutputName, value: JsonObject) => void
  readonly exportVariable: (name: string, value: string) => void
  readonly addPath: (folder: string) => void
  readonly saveState: (name: StateName, value: string) => void
  /** Hides secrets in everything from here on, and in every later step's log. */
  readonly hide: (secrets: readonly string[]) => void
  /** Adds to the page of the run. */
  readonly addSummary: (markdown: string) => void
  /** The one error annotation of a step, and its red cross. */
  readonly fail: (failure: Failure) => void
  /** Before the process ends. */
  readonly end: () => void
}

/** Opens it; `known` are secrets of the job and its inputs. */
export function openReporting(known: readonly string[]): Reporting {
  const secrets = [...known]
  let mask = secretMask(secrets)
  /** What ends the present stretch of plain lines. */
  let ending: string | undefined
  const resume = (): void => {
    if (ending !== undefined) core.info(`::${ending}::`)
    ending = undefined
  }
  // A runner reads commands in the middle of a line, too, and takes more signs than \n for the end of one: nobody can say
  // which texts are harmless, so that it is told not to look.
  const plain = (text: string): void => {
    if (ending === undefined) {
      ending = `kubestep-${randomBytes(16).toString('hex')}`
      core.info(`::stop-commands::${ending}`)
    }
    core.info(mask(text))
  }
  const attempt = (work: () => void): void => {
    resume()
    try {
      work()
    } catch (error) {
      core.debug(`the runner does not take it: ${error}`)
    }
  }
  return {
    info: plain,
    debug: text => attempt(() => core.debug(mask(text))),
    warning: text => attempt(() => core.warning(mask(text))),
    startGroup: title => attempt(() => core.startGroup(mask(title))),
    endGroup: () => attempt(core.endGroup),
    setOutput: (name, value) => attempt(() => core.setOutput(name, value)),
    setJson: (name, value) => attempt(() => core.setOutput(name, JSON.stringify(maskJson(value, mask)))),
    exportVariable: (name, value) => attempt(() => core.exportVariable(name, value)),
    addPath: folder => attempt(() => core.addPath(folder)),
    saveState: (name, value) => attempt(() => core.saveState(name, value)),
    hide: more => {
      for (const secret of more.filter(one => one.trim() !== '')) attempt(() => core.setSecret(secret))
      secrets.push(...more)
      mask = secretMask(secrets)
    },
    addSummary: markdown => {
      const file = process.env.GITHUB_STEP_SUMMARY
      // Appended at once and not through core.summary, which is asynchronous: a step that is being killed still says why.
      if (file) attempt(() => appendFileSync(file, `${mask(markdown)}\n`))
    },
    fail: ({ title, text }) => {
      attempt(() => core.error(mask(text), { title: mask(title) }))
      process.exitCode = 1
    },
    end: resume,
  }
}

/** What main has left for post. */
export function state(name: StateName): string {
  return core.getState(name)
}
