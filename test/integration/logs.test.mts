/** A bundle of this machine's logs, whatever is on it: it has to come out in any case, and without secrets. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { writeLogBundle } from '../../lib/cluster/diagnose/log-bundle.ts'
import { streamSource } from '../../lib/supply/fetch/byte-source.ts'
import { readTar } from '../../lib/supply/fetch/tar.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep logs '))
after(() => rmSync(folder, { recursive: true }))

/** Contents by name. */
async function unpack(path: string): Promise<ReadonlyMap<string, string>> {
  const source = streamSource(Readable.from([gunzipSync(readFileSync(path))]))
  const files = new Map<string, string>()
  for await (const { name, content } of readTar(source, path)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content()) chunks.push(chunk)
    files.set(name, Buffer.concat(chunks).toString())
  }
  return files
}

const KEY = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg'
const TOKEN = 'abcdef.0123456789abcdef'

test('writeLogBundle() writes one archive for its owner alone, with the reason and the diagnosis, masked', async () => {
  const { path, broken } = await writeLogBundle({
    folder,
    reason: `init: cannot do it with ${TOKEN}\n-----BEGIN PRIVATE KEY-----\n${KEY}\n-----END PRIVATE KEY-----`,
    broken: { link: 'etcd', cause: 'it ended', lines: [`last words with token=${TOKEN}`] },
    timings: { runtime: 100, 'API answers': 5000 },
    now: new Date('2026-11-23T14:20:00Z'),
  })
  assert.equal(basename(path), 'kubestep-logs-20261123-142000.tar.gz')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(broken?.link, 'etcd')
  const files = await unpack(path)
  const summary = files.get('kubestep-logs-20261123-142000/summary.txt') ?? ''
  assert.match(summary, /^What happened:\ninit: cannot do it with abcdef\.<masked>\n<masked private key>$/m)
  assert.match(summary, /^Diagnosis: the first broken link is the etcd: it ended\n {2}last words with token=<masked>$/m)
  assert.match(summary, /^5000\tAPI answers$/m)
  const whole = [...files.values()].join('\n')
  for (const secret of [KEY, TOKEN]) assert.equal(whole.includes(secret), false)
  assert.ok(files.has('kubestep-logs-20261123-142000/machine/facts.txt'))
  assert.deepEqual(readdirSync(folder), [basename(path)])
})

test('writeLogBundle() makes a diagnosis of its own, and says what is not in there', async () => {
  const { path } = await writeLogBundle({ folder, kubeconfig: join(folder, 'nothing.conf') })
  const [, summary = ''] = [...(await unpack(path))].find(([name]) => name.endsWith('/summary.txt')) ?? []
  assert.match(summary, /^(Diagnosis: the first broken link is the |No link is broken)/m)
  assert.match(summary, /^API server: nodes\.json: there is no kubeconfig$/m)
})
