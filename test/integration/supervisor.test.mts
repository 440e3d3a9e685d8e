import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { $ } from '../../lib/machine/command.ts'
import { readTextOrEmpty } from '../../lib/machine/files.ts'
import { processesWith } from '../../lib/machine/host/processes.ts'
import { startTime } from '../../lib/machine/host/start-time.ts'
import { supervisor } from '../../lib/machine/service/supervisor.ts'

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (holds()) return
    await sleep(25)
  }
  assert.fail(`never happened: ${what}`)
}

function folders() {
  const base = mkdtempSync(join(tmpdir(), 'kubestep service '))
  return { base, scripts: join(base, 'scripts'), run: join(base, 'run'), logs: join(base, 'logs') }
}

test('supervisor() starts a service again when it ends, and stops it for good', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const script = `echo "it's $$ up"; sleep 0.1; exit 3`
  await manager.start({ name: 'flaky', about: 'test', command: ['/bin/sh', '-c', script], restartDelayMs: 50 })
  const log = (): string => readFileSync(join(places.logs, 'flaky.log'), 'utf8')
  await until('three starts', () => (log().match(/ up$/gm) ?? []).length >= 3)
  assert.match(log(), /kubestep: flaky ended with status 3; starting it again/)
  assert.match(await manager.log('flaky', 2), /flaky|up/)
  assert.equal(await manager.isRunning('flaky'), true)
  assert.ok((await manager.restarts('flaky')) >= 2)
  await manager.remove('flaky')
  assert.equal(await manager.isRunning('flaky'), false)
  const after = log()
  await sleep(300)
  assert.equal(log(), after)
  assert.equal(existsSync(join(places.scripts, 'flaky.json')), false)
  rmSync(base, { recursive: true })
})

test('supervisor() starts what it has prepared when it is told, and again when it is told again', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const file = join(base, 'starts')
  const pidsIn = (): string[] => readTextOrEmpty(file).split('\n').slice(0, -1)
  const start = await manager.prepare({
    name: 'later',
    about: 'test',
    command: ['/bin/sh', '-c', `echo $$ >> '${file}'; exec sleep 1000`],
    restartDelayMs: 50,
  })
  await until('its loop is there', () => processesWith([join(places.scripts, 'later.json')]).length === 1)
  await sleep(200)
  assert.deepEqual(pidsIn(), [])
  await start()
  await until('it runs', () => pidsIn().length === 1)
  await start()
  await until('it runs again', () => pidsIn().length === 2)
  assert.equal(startTime(Number(pidsIn()[0])), undefined)
  await manager.remove('later')
  assert.equal(startTime(Number(pidsIn()[1])), undefined)
  rmSync(base, { recursive: true })
})

test('supervisor() starts nothing that it has prepared when its starter ends first', async () => {
  const { base, ...places } = folders()
  const file = join(base, 'started')
  const service = { name: 'never', about: 'test', command: ['/bin/touch', file], restartDelayMs: 50 }
  const program = join(base, 'starter.mts')
  const module = JSON.stringify(new URL('../../lib/machine/service/supervisor.ts', import.meta.url).href)
  writeFileSync(
    program,
    `import { supervisor } from ${module}
await supervisor(${JSON.stringify(places)}).prepare(${JSON.stringify(service)})
process.exit(0)
`,
  )
  await $({
    env: { NODE_OPTIONS: process.execArgv.includes('tsx') ? '--import tsx' : '' },
  })`${process.execPath} ${program}`
  await until('its loop has ended', () => processesWith([join(places.scripts, 'never.json')]).length === 0)
  assert.equal(existsSync(file), false)
  assert.equal(await supervisor(places).isRunning('never'), false)
  rmSync(base, { recursive: true })
})

test('supervisor() ends the service itself, not only its loop', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const pidFile = join(base, 'pid')
  await manager.start({
    name: 'steady',
    about: 'test',
    command: ['/bin/sh', '-c', `echo $$ > '${pidFile}'; exec sleep 1000`],
    restartDelayMs: 50,
  })
  await until('it runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '')
  const pid = Number(readFileSync(pidFile, 'utf8'))
  assert.notEqual(startTime(pid), undefined)
  await manager.remove('steady')
  assert.equal(startTime(pid), undefined)
  await manager.remove('steady')
  rmSync(base, { recursive: true })
})

test('supervisor() replaces a running service when it is started again', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const service = (text: string) =>
    ({
      name: 'one',
      about: 'test',
      command: ['/bin/sh', '-c', `echo ${text}; exec sleep 1000`],
      restartDelayMs: 50,
    }) as const
  const log = (): string => readFileSync(join(places.logs, 'one.log'), 'utf8')
  await manager.start(service('first'))
  await until('the first', () => log().includes('first'))
  await manager.start(service('second'))
  await until('the second', () => log().includes('second'))
  assert.doesNotMatch(log(), /starting it again/)
  assert.equal(await manager.restarts('one'), 0)
  assert.equal(await manager.restart('one'), true)
  await until('the second again', () => log().match(/second/g)?.length === 2)
  assert.equal(await manager.restart('another'), false)
  await manager.remove('one')
  rmSync(base, { recursive: true })
})

for (const [lost, lose] of [
  ['whose loop was killed', (places: { readonly run: string }) => killLoop(join(places.run, 'steady.pid'))],
  ['whose pid was never written down', (places: { readonly run: string }) => rmSync(join(places.run, 'steady.pid'))],
] as const) {
  test(`supervisor() ends a service ${lost}`, async () => {
    const { base, ...places } = folders()
    const manager = supervisor(places)
    const pidFile = join(base, 'pid')
    const script = `echo $$ > '${pidFile}'; exec sleep 1000`
    await manager.start({ name: 'steady', about: 'test', command: ['/bin/sh', '-c', script], restartDelayMs: 50 })
    await until('it runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '')
    const pid = Number(readFileSync(pidFile, 'utf8'))
    lose(places)
    assert.notEqual(startTime(pid), undefined)
    await manager.remove('steady')
    assert.equal(startTime(pid), undefined)
    rmSync(base, { recursive: true })
  })
}

test('supervisor() gives a service what a file holds as arguments, at each start anew, and no shell reads it', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const [file, seen, canary, program] = ['flags.env', 'seen', 'canary', 'print'].map(name => join(base, name)) as [
    string,
    string,
    string,
    string,
  ]
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@" >'${seen}'\nsleep 0.1\n`, { mode: 0o755 })
  const words = (): string[] => (existsSync(seen) ? readFileSync(seen, 'utf8').split('\0').slice(0, -1) : [])
  const nasty = [`a=$(touch\${IFS}'${canary}')`, `\`touch ${canary}\``, `;touch ${canary};`, '$HOME', '%n', `it's "so"`]
  const asOneWord = (word: string): string => `'${word.replaceAll("'", `\\'`)}'`
  const write = (given: readonly string[]): void => {
    const text = given
      .map(asOneWord)
      .join(' ')
      .replaceAll(/["\\$`]/g, '\\$&')
    writeFileSync(file, `# of kubeadm\nFLAGS="${text}"\nOTHER=$(touch ${canary})\n`)
  }
  write(nasty)
  const command = [program, '--first', nasty[0] ?? '']
  const moreArguments = { file, variable: 'FLAGS' }
  await manager.start({ name: 'nasty', about: 'test', command, moreArguments, restartDelayMs: 50 })
  await until('all arguments', () => words().length === 2 + nasty.length)
  assert.deepEqual(words(), ['--first', nasty[0], ...nasty])
  write(['later', 'two words'])
  await until('the later ones', () => words().includes('later'))
  assert.deepEqual(words(), ['--first', nasty[0], 'later', 'two words'])
  rmSync(file)
  await until('none', () => words().length === 2)
  await manager.remove('nasty')
  assert.equal(existsSync(canary), false)
  rmSync(base, { recursive: true })
})

test('supervisor() does not give to a shell what is no program', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const [page, canary] = [join(base, 'kubelet'), join(base, 'canary')]
  writeFileSync(page, `touch '${canary}'\n`, { mode: 0o755 })
  await manager.start({ name: 'page', about: 'test', command: [page], restartDelayMs: 50 })
  const log = (): string => readFileSync(join(places.logs, 'page.log'), 'utf8')
  await until('it is said', () => /no program\nkubestep: page ended with status 126; starting it again/.test(log()))
  await manager.remove('page')
  assert.equal(existsSync(canary), false)
  rmSync(base, { recursive: true })
})

function killLoop(pidFile: string): void {
  process.kill(Number(readFileSync(pidFile, 'utf8').split(' ')[0]), 'SIGKILL')
}

test('supervisor() tells a service of proxies by its file alone', async () => {
  const { base, ...places } = folders()
  const manager = supervisor(places)
  const [file, seen, program] = ['proxies.env', 'seen', 'print'].map(name => join(base, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(
    program,
    `#!/bin/sh\nenv | grep -i _proxy | sort >'${seen}.new'; mv '${seen}.new' '${seen}'\nsleep 0.1\n`,
    {
      mode: 0o755,
    },
  )
  const before = process.env.HTTPS_PROXY
  process.env.HTTPS_PROXY = 'http://of-this-process:1'
  try {
    const told = async (environmentFile?: string): Promise<string> => {
      rmSync(seen, { force: true })
      const more = environmentFile === undefined ? {} : { environmentFile }
      await manager.start({ name: 'proxied', about: 'test', command: [program], restartDelayMs: 50, ...more })
      await until('its variables', () => existsSync(seen))
      await manager.remove('proxied')
      return readFileSync(seen, 'utf8')
    }
    assert.equal(await told(), '')
    writeFileSync(file, 'https_proxy="http://of-the-file:2"\n')
    assert.equal(await told(file), 'https_proxy=http://of-the-file:2\n')
  } finally {
    if (before === undefined) delete process.env.HTTPS_PROXY
    else process.env.HTTPS_PROXY = before
    rmSync(base, { recursive: true })
  }
})
