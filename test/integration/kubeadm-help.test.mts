/** The list of kubeadm's commands and flags that we are held against, against what a real kubeadm says of itself. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The release that the list is of. */
const RELEASE = 'v1.36.'
const RECORDED = JSON.parse(
  readFileSync(fileURLToPath(new URL('../data/kubeadm-flags.json', import.meta.url)), 'utf8'),
) as Readonly<Record<string, readonly string[]>>

const folders = (process.env.KUBESTEP_E2E_ARTIFACTS ?? '').split(':').filter(Boolean)
const programs = [...folders.map(folder => join(folder, 'bin/kubeadm')), 'kubeadm']
const kubeadm = programs.find(program => said(program, 'version', '-o', 'short').startsWith(RELEASE))

function said(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

interface Help {
  readonly flags: readonly string[]
  readonly commands: readonly string[]
}

function helpOf(program: string, words: readonly string[]): Help {
  const text = said(program, ...words, '--help')
  const flags = [...text.matchAll(/^ +(?:(-\w), )?(--[a-z][-\w]*)/gm)].map(([, short, long]) =>
    short === undefined ? String(long) : `${long} ${short}`,
  )
  const [, listed = ''] = /Available Commands:\n((?: {2}.*\n)+)/.exec(text) ?? []
  const commands = [...listed.matchAll(/^ {2}(\S+)/gm), ...text.matchAll(/^ {2}kubeadm (\w+) {2,}/gm)]
  return {
    flags: flags.filter(flag => flag !== '--help -h'),
    commands: commands.map(([, name = '']) => name),
  }
}

/** Every command that does something; one that others are below only says which. */
function walk(program: string, words: readonly string[], inherited: readonly string[]): (readonly [string, Help])[] {
  const help = helpOf(program, words)
  const own = { ...help, flags: help.flags.filter(flag => !inherited.includes(flag)).sort() }
  const below = help.commands.flatMap(name => walk(program, [...words, name], inherited))
  return [[words.join(' '), own], ...below]
}

test('the list of commands and flags is that of kubeadm', {
  skip: kubeadm === undefined && `no kubeadm ${RELEASE}`,
}, () => {
  const global = helpOf(kubeadm ?? '', []).flags
  assert.deepEqual(global.toSorted(), RECORDED[''])
  const found = walk(kubeadm ?? '', [], global).filter(
    ([name, { commands }]) => name !== '' && (name in RECORDED || commands.length === 0),
  )
  for (const [name, { flags }] of found) assert.deepEqual(flags, RECORDED[name], name)
  assert.deepEqual(['', ...found.map(([name]) => name)].sort(), Object.keys(RECORDED).sort())
})
