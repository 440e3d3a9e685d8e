/**
 * Everything that tells why a cluster does not work, in one archive: what the machine, the services, the runtime and
 * the API server say, as far as they answer. No secrets: what may hold some is masked, and keys are not read at all.
 */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { reasonOf } from '../../base/errors.ts'
import { type Mask, secretMask } from '../../base/secrets.ts'
import { removeFiles, writeFiles } from '../../machine/files.ts'
import { tarEnd, tarHeader, tarPadding } from '../../supply/fetch/tar.ts'
import { type Broken, brokenText } from './broken-link.ts'
import { COLLECTORS, type Collected } from './collectors.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { secretFiles } from './kept-files.ts'
import { environmentSecrets, fileSecrets } from './known-secrets.ts'
import { firstBroken } from './link-chain.ts'
import { machineContext } from './machine-context.ts'

export interface BundleRequest {
  /** Where it goes; /var/log when left out, which neither a reset nor the next init clears. */
  readonly folder?: string
  /** kubeconfig to ask the API server with. */
  readonly kubeconfig?: string
  /** What happened, e.g. the message of a failed init. */
  readonly reason?: string
  /** The diagnosis, where somebody has made it already; undefined then when nothing is broken. */
  readonly broken?: Broken | undefined
  /** Milliseconds since the start, by what was reached. */
  readonly timings?: Readonly<Record<string, number>>
  readonly now?: Date
}

export interface Bundle {
  readonly path: string
  /** The first broken link; undefined when all hold. */
  readonly broken?: Broken
}

/** How long one part may take; a hung API server should not keep the others out. */
const PART_LIMIT_MS = 15_000

/** So many are kept in /var/log: each failed init leaves one. */
const KEPT = 5

/** Collects and writes the archive, for its owner alone. Throws a KubestepError only when it cannot be written. */
export async function writeLogBundle(request: BundleRequest = {}): Promise<Bundle> {
  const now = request.now ?? new Date()
  const context = machineContext(request.kubeconfig)
  try {
    const broken = 'broken' in request ? request.broken : await firstBroken(context)
    const parts = await collect(context)
    const mask = secretMask([...environmentSecrets(process.env), ...fileSecrets(secretFiles(process.env))])
    const entries = [{ name: 'summary.txt', text: summary(request, broken, parts, now) }, ...parts.flatMap(filesOf)]
    const base = `kubestep-logs-${stamp(now)}`
    const folder = resolve(request.folder ?? (process.getuid?.() === 0 ? '/var/log' : tmpdir()))
    const path = join(folder, `${base}.tar.gz`)
    writeFiles('/', [{ path, mode: 0o600, content: await archive(base, entries, mask) }])
    if (request.folder === undefined) removeOld(folder)
    return { path, ...(broken !== undefined && { broken }) }
  } finally {
    context.api?.close()
  }
}

interface Part {
  readonly about: string
  readonly outcome: readonly Collected[] | string
}

function collect(context: DiagnosisContext): Promise<Part[]> {
  return Promise.all(
    COLLECTORS.map(async ({ about, collect: work }) => {
      const outcome = await inTime(work(context)).catch(reasonOf)
      return { about, outcome }
    }),
  )
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PART_LIMIT_MS / 1000} s`)), PART_LIMIT_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function filesOf({ outcome }: Part): readonly Collected[] {
  return typeof outcome === 'string' ? [] : outcome.filter(({ text }) => text !== '')
}

function summary({ reason, timings }: BundleRequest, broken: Broken | undefined, parts: readonly Part[], now: Date) {
  const missing = parts.filter(part => filesOf(part).length === 0)
  return [
    `Logs of a kubestep cluster, collected ${now.toISOString()}`,
    '',
    ...(reason === undefined ? [] : ['What happened:', reason, '']),
    broken === undefined ? 'No link is broken.' : `Diagnosis: ${brokenText(broken)}`,
    '',
    ...(timings === undefined
      ? []
      : ['Reached, in milliseconds:', ...Object.entries(timings).map(([name, ms]) => `${ms}\t${name}`), '']),
    ...(missing.length === 0
      ? []
      : [
          'Not in here:',
          ...missing.map(
            ({ about, outcome }) => `${about}: ${typeof outcome === 'string' ? outcome : 'there is none'}`,
          ),
          '',
        ]),
  ].join('\n')
}

async function archive(base: string, entries: readonly Collected[], mask: Mask): Promise<Uint8Array> {
  const blocks = entries.flatMap(({ name, text }) => {
    const content = Buffer.from(mask(text))
    return [tarHeader(tarName(`${base}/${name}`), content.length, 0o600), content, tarPadding(content.length)]
  })
  return promisify(gzip)(Buffer.concat([...blocks, tarEnd()]))
}

// Names of Pods may be longer than what a tar header has room for.
function tarName(name: string): string {
  return name
    .split('/')
    .map(part => (part.length <= LONGEST_PART ? part : `${part.slice(0, LONGEST_PART - 24)}..${part.slice(-22)}`))
    .join('/')
}

const LONGEST_PART = 100

function stamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

function removeOld(folder: string): void {
  const ours = readdirSync(folder)
    .filter(name => /^kubestep-logs-\d{8}-\d{6}\.tar\.gz$/.test(name))
    .sort()
  removeFiles(
    '/',
    ours.slice(0, -KEPT).map(name => join(folder, name)),
  )
}
