/** The text of action.yml, from the tables of inputs and outputs. */

import { INPUT_ROWS, type Input } from '../../lib/action/inputs.ts'
import { OUTPUT_ROWS } from '../../lib/action/outputs.ts'
import { stringify } from '../../lib/base/yaml.ts'

const HEADING = `# Made by scripts/build.mts from lib/action/inputs.ts and outputs.ts: change those.
name: kubestep
description: Real, unmodified upstream Kubernetes on the runner itself, ready when the step is green, gone after the job
author: kubestep
branding: { icon: box, color: blue }
`

const RUNS = `runs:
  using: node24
  main: dist/action.mjs
  post: dist/action-post.mjs
  post-if: always()
`

/** action.yml. */
export function actionMetadata(): string {
  const inputs = INPUT_ROWS.map(([name, input]) => [name, declaration(input)] as const)
  const outputs = OUTPUT_ROWS.map(([name, { about }]) => [name, { description: sentence(about) }] as const)
  return [HEADING, ...section('inputs', inputs), ...section('outputs', outputs), RUNS].join('')
}

function declaration(input: Input): Readonly<Record<string, unknown>> {
  const { about, default: fallback, example, implied, internal } = input
  const more = internal ? '' : `${implied ? ` Default: ${fallback}.` : ''} Example: ${example}`
  return {
    description: `${sentence(about)}${more}`,
    required: false,
    ...(fallback !== undefined && !implied && { default: fallback }),
  }
}

function sentence(about: string): string {
  return `${about.charAt(0).toUpperCase()}${about.slice(1)}.`
}

function section(title: string, rows: readonly (readonly [string, Readonly<Record<string, unknown>>])[]): string[] {
  return [`${title}:\n`, ...rows.map(([name, value]) => entry(name, value)), '\n']
}

// In the order of the tables, where the writer sorts.
function entry(name: string, value: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(value).map(
    ([key, item]) =>
      `    ${stringify({ [key]: item })
        .trimEnd()
        .replaceAll('\n', '\n    ')}\n`,
  )
  return `  ${name}:\n${fields.join('')}`
}
