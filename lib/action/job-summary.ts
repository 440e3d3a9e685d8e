/** The job summary, as GitHub's markdown. */
import { isObject, type Json, type JsonObject } from '../base/json.ts'
import type { Failure } from './failure-report.ts'

const BAR = 30

/** For a cluster that is up: what it is, and where the time went. */
export function readySummary(ready: JsonObject, besides: readonly (readonly [string, string])[]): string {
  const runtime = isObject(ready.runtime) ? ready.runtime : {}
  const rows: readonly (readonly [string, string])[] = [
    ['Kubernetes', text(ready.kubernetesVersion)],
    ['Node', text(ready.nodeName)],
    ['API server', text(ready.server)],
    ['Runtime', `${text(runtime.name)} ${text(runtime.version)}`.trim()],
    ...imageVersions(ready.images),
    ...besides,
  ]
  return [
    `### Kubernetes ${text(ready.kubernetesVersion)} is ready after ${seconds(timeToReady(ready))}`,
    '',
    table(
      ['what', 'which'],
      rows.filter(([, value]) => value !== ''),
    ),
    '',
    '<details><summary>Where the time went</summary>',
    '',
    timeline(ready.timings),
    '',
    '</details>',
    '',
  ].join('\n')
}

/** For a cluster that has another version now. */
export function upgradedSummary({ from, kubernetesVersion }: JsonObject, milliseconds: number): string {
  return `### Kubernetes ${text(from)} was upgraded to ${text(kubernetesVersion)} in ${seconds(milliseconds)}\n`
}

/** For a step that failed; `missing` is what there is not. */
export function failureSummary(
  failure: Failure,
  timings: Json | undefined,
  logs: string | undefined,
  missing = 'No cluster',
): string {
  return [
    `### ${missing}: ${escaped(failure.title)}`,
    '',
    ...(failure.link === undefined ? [] : [`The first broken link is the **${escaped(failure.link)}**.`, '']),
    ...(failure.lines.length === 0 ? [] : ['Its last lines:', '', fenced(failure.lines.join('\n')), '']),
    '<details><summary>Everything that was said</summary>',
    '',
    fenced(failure.text),
    '',
    '</details>',
    '',
    ...(isObject(timings) && Object.keys(timings).length > 0 ? [timeline(timings), ''] : []),
    ...(logs === undefined
      ? []
      : [`Logs of every part are in \`${logs}\`; upload that folder in a step with \`if: failure()\`.`, '']),
  ].join('\n')
}

/** For logs that were collected at the end of a job. */
export function logsSummary(diagnosis: string, path: string): string {
  return [
    '### Logs of the cluster at the end of the job',
    '',
    ...(diagnosis === '' ? ['No link of the cluster was broken.'] : [fenced(diagnosis)]),
    '',
    `They are in \`${path}\`, which goes with the runner; \`kubestep-logs\` in a step with \`if: failure()\` collects them earlier.`,
    '',
  ].join('\n')
}

/** Milliseconds until the last gate held and further nodes were ready; until the objects were there when no gate was waited for. */
export function timeToReady({ gates, timings }: JsonObject): number {
  const marks = isObject(timings) ? timings : {}
  const names = Array.isArray(gates) ? gates.filter(isObject).map(gate => String(gate.name)) : []
  const last = Math.max(0, Number(marks.nodes ?? 0), ...names.map(name => Number(marks[name] ?? 0)))
  return last || Number(marks['objects applied'] ?? 0)
}

/** A row for each thing reached: when, and a bar from the one before to it. */
export function timeline(timings: Json | undefined): string {
  const marks = Object.entries(isObject(timings) ? timings : {})
    .map(([name, at]) => [name, Number(at)] as const)
    .sort(([, a], [, b]) => a - b)
  const end = marks.at(-1)?.[1] ?? 0
  const cell = (at: number): number => (end === 0 ? 0 : Math.round((at / end) * BAR))
  return table(
    ['reached', 'after', 'time'],
    marks.map(([name, at], index) => {
      const [from, to] = [cell(marks[index - 1]?.[1] ?? 0), cell(at)]
      const bar = `${'·'.repeat(from)}${'█'.repeat(Math.max(to - from, 0))}${'·'.repeat(BAR - Math.max(from, to))}`
      return [name, seconds(at), `\`${bar}\``]
    }),
  )
}

const SHOWN_IMAGES: readonly (readonly [name: string, title: string])[] = [
  ['etcd', 'etcd'],
  ['coredns', 'CoreDNS'],
]

function imageVersions(images: Json | undefined): (readonly [string, string])[] {
  const names = Array.isArray(images) ? images.map(String) : []
  return SHOWN_IMAGES.flatMap(([name, title]) => {
    const image = names.find(other => new RegExp(`/${name}[:@]`).test(other))
    return image === undefined ? [] : [[title, image.slice(image.lastIndexOf(':') + 1)] as const]
  })
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n')
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

// A fence longer than any in the text.
function fenced(content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${content}\n${fence}`
}
