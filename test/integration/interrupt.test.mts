/** A process that is told to end: what it started ends first, a package manager in its own time. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processesWith } from '../../lib/machine/host/processes.ts'

const LIB = fileURLToPath(new URL('../../lib', import.meta.url))
const noRoot = process.getuid?.() !== 0 && 'needs root, which alone may install'
// Root starts only what nobody else can write.
const folder = noRoot === false ? mkdtempSync(join(homedir(), '.kubestep-interrupt-')) : ''
after(() => rmSync(folder, { recursive: true, force: true }))

/** Stops as apt does: SIGINT is for it alone, and what it has begun comes to its end; SIGTERM ends it in the middle. */
const APT = `#!/bin/sh
cd "$(dirname "$0")"
trap 'stop=1' INT
for step in 1 2 3; do
  [ -z "$stop" ] || exit 100
  echo "begin $step" >>log
  # Of its own, as dpkg is: what it gets it would die of.
  sh -c 'sleep 1; echo "end '$step'" >>log'
done
`

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly status: number | null; readonly said: string }>
}

/** A process of its own that does `work` until it is told to end. */
function start(work: string): Started {
  const file = join(folder, 'work.mts')
  writeFileSync(
    file,
    `import { interruptible } from ${JSON.stringify(join(LIB, 'cli/interrupt.ts'))}
import { $ } from ${JSON.stringify(join(LIB, 'machine/command.ts'))}
import { runManager } from ${JSON.stringify(join(LIB, 'machine/package-manager-run.ts'))}
await interruptible('init', 'run it again', () => console.error('given back'), async () => {
  ${work}
  console.error('went on')
})
`,
  )
  const child = spawn(process.execPath, [...process.execArgv, file], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', chunk => {
    said += chunk
  })
  return { child, ended: new Promise(resolve => child.on('close', status => resolve({ status, said }))) }
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 50) {
    assert.ok(waited < 20_000, 'it took too long')
    await sleep(50)
  }
}

const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '')

describe('interruptible()', { skip: noRoot }, () => {
  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`${signal}: a program that it started ends, and then it does`, async () => {
      const { child, ended } = start(`await $\`sleep 987\``)
      await until(() => processesWith(['987']).length > 0)
      child.kill(signal)
      const { status, said } = await ended
      assert.equal(status, expected, said)
      assert.equal(said, 'given back\ninit: interrupted; run it again\n')
      assert.deepEqual(processesWith(['987']), [])
    })

    test(`${signal}: a package manager comes to the end of what it has begun`, async () => {
      const apt = join(folder, 'apt-get')
      writeFileSync(apt, APT, { mode: 0o755 })
      rmSync(join(folder, 'log'), { force: true })
      const { child, ended } = start(`await runManager('init: cannot install x', [${JSON.stringify(apt)}])`)
      await until(() => log().includes('begin 1'))
      child.kill(signal)
      await sleep(100)
      // Somebody who is impatient.
      child.kill(signal)
      const { status, said } = await ended
      assert.equal(status, expected, said)
      assert.match(said, /^init: waiting for the package manager, which must not be cut off\ngiven back\n/)
      assert.equal(log(), 'begin 1\nend 1\n')
    })
  }

  test('what a killed process left is found, told to stop, and waited for', async () => {
    const { endInstalling, isInstalling } = await import('../../lib/machine/package-manager-run.ts')
    const apt = join(folder, 'apt-get')
    writeFileSync(apt, APT, { mode: 0o755 })
    rmSync(join(folder, 'log'), { force: true })
    const { child, ended } = start(`await runManager('init: cannot install x', [${JSON.stringify(apt)}])`)
    await until(() => log().includes('begin 1'))
    child.kill('SIGKILL')
    await ended
    assert.equal(isInstalling(), true)
    assert.equal(await endInstalling(), true)
    assert.equal(log(), 'begin 1\nend 1\n')
    assert.equal(isInstalling(), false)
  })
})

describe('the folder of a load', () => {
  test('of a load that was killed goes with the next one; one that is at work keeps its own', async () => {
    const { makeWorkFolder } = await import('../../lib/supply/load/work-folder.ts')
    const parent = mkdtempSync(join(noRoot === false ? folder : homedir(), '.kubestep-loads-'))
    const own = makeWorkFolder(parent)
    const left = own.replace(/-load-\d+-\d+-/, '-load-999999999-1-')
    writeFileSync(left, 'a file of that name is none')
    const killed = `${left}x`
    await import('node:fs').then(({ mkdirSync }) => mkdirSync(killed))
    const next = makeWorkFolder(parent)
    assert.deepEqual(
      readdirSync(parent)
        .map(name => join(parent, name))
        .sort(),
      [own, left, next].sort(),
    )
    rmSync(parent, { recursive: true })
  })
})
