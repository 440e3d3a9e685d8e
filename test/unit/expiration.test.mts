/** What `certs check-expiration` says, as real kubeadm v1.36.2 said it of certificates of the same dates. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { durationMilliseconds } from '../../lib/base/duration.ts'
import { humanDuration } from '../../lib/base/human-duration.ts'
import { stringify } from '../../lib/base/yaml.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { readExpirations } from '../../lib/kubeadm/credentials/expiration.ts'
import { expirationObject, expirationTable } from '../../lib/kubeadm/credentials/expiration-text.ts'
import { GOLDEN_FACTS } from '../facts.ts'
import { type Host, hostWith, initConfig, issue, NOW, without } from '../pki.ts'

const GOLDEN = fileURLToPath(new URL('../golden/v1.36.2/expiration', import.meta.url))

/** Every line of a file; none where there is no such file. */
function linesOf(...path: readonly string[]): string[] {
  try {
    return readFileSync(join(GOLDEN, ...path), 'utf8')
      .trim()
      .split('\n')
  } catch {
    return []
  }
}

describe('readExpirations(), as kubeadm prints it', () => {
  for (const name of readdirSync(GOLDEN)) {
    test(name, async () => {
      const text = readFileSync(join(GOLDEN, name, 'config.yaml'), 'utf8')
      const { config } = loadInitConfig({ text, file: name }, GOLDEN_FACTS)
      const wanted = (ending: string): string => readFileSync(join(GOLDEN, name, `expiration.${ending}`), 'utf8')
      const { certificates } = JSON.parse(wanted('json')) as {
        certificates: readonly { expirationDate: string | null }[]
      }
      const end = certificates.find(({ expirationDate }) => expirationDate !== null)?.expirationDate
      const made = new Date(Date.parse(end ?? '') - durationMilliseconds(config.cluster.certificateValidityPeriod))
      const { files } = await issue(config, {}, { now: made })
      const host = without(hostWith(files), ...linesOf(name, 'removed.txt'))
      const found = readExpirations(config, '/etc/kubernetes', path => host[path])
      // kubeadm looked within this second.
      const moments = new Map(linesOf(name, 'moments.txt').map(line => line.split(' ') as [string, string]))
      const moment = (ending: string): Date => new Date(Date.parse(moments.get(ending) ?? '') + 500)
      assert.equal(expirationTable(found, moment('txt')), wanted('txt'))
      assert.equal(`${JSON.stringify(expirationObject(found, moment('json')), null, 4)}\n`, wanted('json'))
      assert.equal(stringify(expirationObject(found, moment('yaml'))), wanted('yaml'))
    })
  }
})

describe('readExpirations(), where kubeadm gives up', () => {
  const config = initConfig()
  const rows: readonly (readonly [
    what: string,
    change: (host: Host) => Host,
    row: RegExp,
    fault: RegExp | undefined,
  ])[] = [
    [
      'a leaf of an external CA without key',
      host => without(host, 'pki/ca.key', 'pki/apiserver.key'),
      /^!NO KEY! apiserver .* UTC .* ca .* yes/m,
      /apiserver\.crt": its key ".*apiserver\.key" is missing$/,
    ],
    [
      'an external CA without leaf',
      host => without(host, 'pki/ca.key', 'pki/apiserver.crt'),
      /^!MISSING! apiserver +\n/m,
      undefined,
    ],
    ['no CA', host => without(host, 'pki/ca.crt'), /^!MISSING! ca +\n/m, undefined],
    [
      'a damaged certificate',
      host => ({ ...host, '/etc/kubernetes/pki/etcd/peer.crt': 'x' }),
      /^!DAMAGED! etcd-peer +etcd-ca/m,
      /cannot read "\/etc\/kubernetes\/pki\/etcd\/peer\.crt": it holds no PEM block$/,
    ],
    [
      'a damaged kubeconfig',
      host => ({ ...host, '/etc/kubernetes/admin.conf': '{' }),
      /^!DAMAGED! admin\.conf /m,
      /cannot read "\/etc\/kubernetes\/admin\.conf": it is not valid YAML/,
    ],
    [
      "somebody else's key",
      host => ({ ...host, '/etc/kubernetes/pki/apiserver.key': host['/etc/kubernetes/pki/ca.key'] ?? '' }),
      /^apiserver .* no/m,
      /its key ".*apiserver\.key" belongs to another certificate$/,
    ],
  ]
  for (const [what, change, row, fault] of rows) {
    test(`${what}: all rows are there, and it is marked`, async () => {
      const host = change(hostWith((await issue(config)).files))
      const found = readExpirations(config, '/etc/kubernetes', path => host[path])
      assert.match(expirationTable(found, NOW), row)
      assert.equal(found.certificates.length, 11)
      assert.equal(found.authorities.length, 3)
      assert.deepEqual(found.faults.length, fault === undefined ? 0 : 1)
      if (fault !== undefined) assert.match(found.faults[0] ?? '', fault)
    })
  }

  test('a release has the kubeconfigs that it knows', async () => {
    const old = initConfig('v1.20.2')
    const host = hostWith((await issue(old)).files)
    const { certificates } = readExpirations(old, '/etc/kubernetes', path => host[path])
    assert.equal(
      certificates.some(({ name }) => name === 'super-admin.conf'),
      false,
    )
    assert.deepEqual(
      certificates.filter(({ mark }) => mark !== undefined),
      [],
    )
  })
})

describe('humanDuration()', () => {
  const rows: readonly (readonly [seconds: number, text: string])[] = [
    [-2, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [569, '9m29s'],
    [600, '10m'],
    [179 * 60, '179m'],
    [180 * 60, '3h'],
    [7 * 3600 + 300, '7h5m'],
    [8 * 3600 + 300, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [99 * 3600, '4d3h'],
    [8 * 86_400 + 3600, '8d'],
    [729 * 86_400, '729d'],
    [730 * 86_400, '2y'],
    [1124 * 86_400, '3y29d'],
    [8 * 365 * 86_400, '8y'],
  ]
  for (const [seconds, text] of rows) test(text, () => assert.equal(humanDuration(seconds), text))
})
