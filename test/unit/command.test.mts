import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { $, startDetached } from '../../lib/machine/command.ts'
import { outOfMemoryLine } from '../../lib/machine/kernel-log.ts'

const LOG = `[  100.5] Out of memory: Killed process 7 (ctr) total-vm:1kB
[ 5000.25] Memory cgroup out of memory: Killed process 41 (ctr) total-vm:123kB, anon-rss:9kB
[ 5001.0] Memory cgroup out of memory: Killed process 42 (kube-controller) total-vm:1kB
[ 5002.0] eth0: link up`

for (const [what, name, uptime, line] of [
  ['the last of its name', 'ctr', 5003, /^Memory cgroup out of memory: Killed process 41 \(ctr\)/],
  ['a name as the kernel cuts it', 'kube-controller-manager', 5003, /Killed process 42/],
  ['nobody of that name', 'runc', 5003, undefined],
  ['what was long ago', 'ctr', 5100, undefined],
] as const) {
  test(`outOfMemoryLine() finds ${what}`, () => {
    const found = outOfMemoryLine(LOG, name, uptime)
    if (line === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', line)
  })
}

for (const [what, command, options, message] of [
  ['that was killed', ['sh', '-c', 'kill -9 $$'], {}, /^x: sh was killed by SIGKILL[;:] .*(memory)/],
  ['that was told to end', ['sh', '-c', 'kill -15 $$'], {}, /^x: sh was killed by SIGTERM$/],
  ['that hangs', ['sleep', '60'], { timeout: 200 }, /^x: sleep did not end within 0\.2 s$/],
  ['that fails', ['sh', '-c', 'echo one; echo two >&2; exit 3'], {}, /^x: sh ended with status 3: two$/],
  ['that fails in silence', ['sh', '-c', 'exit 4'], {}, /^x: sh ended with status 4$/],
] as const) {
  test(`$ says of a program ${what} how it ended`, async () => {
    await assert.rejects($({ what: 'x', ...options })`${command}`, ({ message: text }: Error) => message.test(text))
  })
}

test('$ tells a program that was killed from one that ended', async () => {
  assert.equal((await $({ nothrow: true })`sh -c ${'kill -9 $$'}`).signal, 'SIGKILL')
  assert.equal((await $`true`).signal, null)
})

const list = ['a b', '', '$(id)']
for (const [what, command, said] of [
  ['splits its own text at blanks', $`printf %s, a  b`, 'a,b,'],
  ['and at ends of lines', $`printf %s, a\n  b`, 'a,b,'],
  ['leaves a value whole', $`printf %s, ${'a  b\n"c"'}`, 'a  b\n"c",'],
  ['takes one inside of a word', $`printf %s, --root=${'a b'}/c${7}`, '--root=a b/c7,'],
  ['makes a word of an empty value', $`printf %s, ${''} a`, ',a,'],
  ['makes a word of each in a list', $`printf %s, ${list}`, 'a b,,$(id),'],
  ['makes none of an empty list', $`printf %s, a ${[]} b`, 'a,b,'],
  ['takes program and arguments from a list', $`${['printf', '%s,']} ${'x'}`, 'x,'],
] as const) {
  test(`$ ${what}`, async () => assert.equal((await command).stdout, said))
}

for (const [what, command, status, said] of [
  ['is not there', 'kubestep-is-no-program', 127, /not found$/],
  ['is no program', '/etc/passwd', 127, /not found$/],
] as const) {
  test(`$ does not start what ${what}`, async () => {
    const { exitCode, stderr } = await $({ nothrow: true })`${command}`
    assert.equal(exitCode, status)
    assert.match(stderr, said)
  })
}

test('$ starts nothing with arguments that are too long', async () => {
  const { exitCode, ok } = await $({ nothrow: true })`true ${'x'.repeat(3_000_000)}`
  assert.deepEqual([exitCode, ok], [126, false])
})

test('startDetached() throws for what cannot be started: no number stands for a process that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-'))
  try {
    for (const program of ['', 'kubestep-is-no-program', join(folder, 'nothing')]) {
      assert.throws(() => startDetached([program], join(folder, 'log')), Error)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
