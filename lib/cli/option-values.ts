/** Values of options and of the action's inputs, checked against what the table of options says they may be. */
import { durationFault, parseDuration } from '../base/duration.ts'
import { nearest } from '../base/nearest.ts'
import type { Option, Reading } from './option.ts'

/**
 * What is wrong with a value and what to write instead, a line for each wrong item of a list. `more` are choices of
 * one command alone.
 */
export function valueFaults(option: Option, value: string, more: readonly string[] = []): string[] {
  const choices = [...(option.choices ?? []), ...more]
  if (choices.length === 0) return option.reads === undefined ? [] : only(READINGS[option.reads](value))
  const items = option.list === true ? value.split(',') : [value]
  const wrong = items.filter(item => !choices.includes(item) && !isReadable(option, item))
  const faults = wrong.map(item => choiceFault(option, item, choices, items.length > 1))
  return faults.length > 0 || items.length === 1 ? faults : only(aloneFault(items))
}

function isReadable({ reads }: Option, value: string): boolean {
  return reads !== undefined && READINGS[reads](value) === undefined
}

function choiceFault(
  { hints = [], reads, list }: Option,
  value: string,
  choices: readonly string[],
  isOneOfMany: boolean,
): string {
  const near = value === '' ? undefined : nearest(value, choices)
  const advice = hints.find(([word]) => new RegExp(word, 'i').test(value))?.[1]
  const hint = near === undefined ? advice : `did you mean ${near}?`
  const what = value === '' ? 'it is empty' : `${isOneOfMany ? JSON.stringify(value) : 'it'} is not known`
  const free = reads === undefined ? '' : ` or ${FORMS[reads]}`
  const use = list === true ? 'some of' : 'one of'
  return `${what}; use ${use} ${choices.join(', ')}${free}${hint === undefined ? '' : `; ${hint}`}`
}

/** Words that mean the whole of a list, or nothing of it. */
const ALONE: readonly string[] = ['all', 'none']

function aloneFault(items: readonly string[]): string | undefined {
  const word = ALONE.find(one => items.includes(one))
  return word === undefined ? undefined : `${JSON.stringify(word)} stands alone; leave it or the others out`
}

/** How a value of each reading is written. */
const FORMS: Readonly<Record<Reading, string>> = {
  duration: 'a duration, as in 90s',
  count: 'a whole number',
  nodes: 'a whole number or a file',
  socket: "a socket's path, as in unix:///run/containerd/containerd.sock",
  registry: 'a registry, as in localhost:5000',
}

/** Why a text is none, and what to write; undefined when it is one. */
const READINGS: Readonly<Record<Reading, (text: string) => string | undefined>> = {
  duration: text =>
    durationFault(text) ?? (parseDuration(text) > 0n ? undefined : 'it is not above zero; write it like "90s"'),
  count: countFault,
  // Everything else is the name of a file.
  nodes: text => (/^[-+.\d]*$/.test(text) ? countFault(text) : undefined),
  socket: text =>
    /^(?:unix:\/\/)?\/[^/]/.test(text) ? undefined : 'it is not a socket path; write it like unix:///run/x.sock',
  // What stands before the first slash of an image's name.
  registry: text =>
    /^(?:[a-z\d](?:[-.a-z\d]*[a-z\d])?|\[[\da-f:]+\]):(?!0)\d{1,5}$/.test(text)
      ? undefined
      : 'it is not a registry; write host and port, without a scheme, like localhost:5000',
}

function countFault(text: string): string | undefined {
  return /^[1-9]\d{0,5}$/.test(text) ? undefined : 'it is not a whole number from 1 on; write digits only'
}

function only(fault: string | undefined): string[] {
  return fault === undefined ? [] : [fault]
}
