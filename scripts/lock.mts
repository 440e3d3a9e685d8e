#!/usr/bin/env -S npx zx
/** Writes digests of releases into a lock, by itself the one that comes along; to be run where dl.k8s.io can be reached. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { timerMilliseconds } from '../lib/base/duration.ts'
import { KubestepError, UsageError } from '../lib/base/errors.ts'
import { chosenArchitecture } from '../lib/base/platform.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { loadInitConfig } from '../lib/kubeadm/config/load-config.ts'
import { imageList } from '../lib/kubeadm/images/image-list.ts'
import { readFile, writeFiles } from '../lib/machine/files.ts'
import { readFactsAnywhere } from '../lib/machine/host/read-facts.ts'
import { fetchingOf } from '../lib/supply/components/fetch-options.ts'
import { makeLock } from '../lib/supply/components/make-lock.ts'
import { reporterOf } from '../lib/supply/components/reporter.ts'
import { lookUpVersion } from '../lib/supply/components/version-labels.ts'
import { type Lock, openLock, writeLock, writeLockTable } from '../lib/supply/fetch/digest-lock.ts'

const OWN = fileURLToPath(new URL('../lib/supply/fetch/lock-file.ts', import.meta.url))
const TIMEOUT = '60m'

export const lock: Script = script(
  import.meta,
  {
    name: 'lock',
    about: 'Fetch releases, verify them, and write their digests into the lock (lib/supply/fetch/lock-file.ts).',
    options: ['arch', 'lock', 'mirror', 'timeout'],
    positionals: 'VERSION...',
    examples: ['lock.mts v1.36.2', 'lock.mts stable 1.35 --arch arm64', 'lock.mts v1.36.2 --lock ./my.lock'],
  },
  async call => {
    const { flags, output, positionals } = call
    if (positionals.length === 0)
      throw new UsageError('lock: cannot write: no version is named; name one, as in v1.36.2')
    const arch = chosenArchitecture(flags.arch)
    const target = flags.lock === undefined ? OWN : resolve(flags.lock)
    const reporter = reporterOf(call)
    const deadline = AbortSignal.timeout(timerMilliseconds(flags.timeout ?? TIMEOUT))
    // What an earlier run has kept was looked at by an earlier run.
    const folder = mkdtempSync(join(tmpdir(), 'kubestep-lock-'))
    const fetching = { ...fetchingOf(flags, deadline, reporter.onProgress), cacheDir: folder }
    try {
      const isNew = flags.lock !== undefined && readFile('/', target) === undefined
      const all = new Map(isNew ? [] : await openLock(flags.lock))
      for (const name of positionals) {
        const version = await lookUpVersion(name, fetching)
        const { config } = loadInitConfig(
          { flags: { 'kubernetes-version': version }, detectCriSocket: false },
          readFactsAnywhere(),
        )
        const made = await makeLock({ version, arch }, imageList(config), fetching)
        for (const unsigned of made.unsigned) output.warn(`lock: ${unsigned} for ${arch} has no signature`)
        const changed = [...made.lock].filter(([key, digest]) => (all.get(key) ?? digest) !== digest)
        if (changed.length > 0) {
          throw new KubestepError(
            `lock: cannot write "${target}": ${changed.map(([key]) => key).join(', ')} was another one when it was locked; find out why, and remove the line if that is right`,
          )
        }
        for (const [key, digest] of made.lock) all.set(key, digest)
        output.say(`[lock] ${version} for ${arch}: ${made.lock.size} digests, ${made.signed.length} of signed files`)
      }
      reporter.end()
      writeFiles('/', [{ path: target, mode: 0o644, content: contentOf(target, all) }])
      output.say(`[lock] Wrote ${all.size} digests to ${target}`)
    } finally {
      reporter.end()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

/** The lock that comes along is a module, whose head stays. */
function contentOf(target: string, all: Lock): string {
  if (target !== OWN) return writeLock(all)
  const [head] = (readFile('/', OWN) ?? '').split('`')
  return `${head}\`\n${writeLockTable(all)}\``.concat('\n')
}
