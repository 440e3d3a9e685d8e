import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellingLines } from '../../lib/diagnose/log-lines.ts'
import { maskSecrets } from '../../lib/diagnose/secrets.ts'

for (const [name, text, masked] of [
  ['a bootstrap token', 'token abcdef.0123456789abcdef ok', 'token abcdef.<masked> ok'],
  ['a bearer token', 'Authorization: Bearer abc.def-123', 'Authorization: Bearer <masked>'],
  ['key data', '    client-key-data: TEFMQQ==', '    client-key-data: <masked>'],
  ['JSON fields', '{"token-secret":"0123456789abcdef","a":1}', '{"token-secret":"<masked>","a":1}'],
  ['a service account token', 'x eyJhbGciOi.eyJpc3Mi.c2ln y', 'x <masked token> y'],
  [
    'a private key',
    'a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb',
    'a\n<masked private key>\nb',
  ],
  [
    'nothing that looks like one',
    'registry.k8s.io/pause:3.10 at 10.0.0.5:6443',
    'registry.k8s.io/pause:3.10 at 10.0.0.5:6443',
  ],
] as const) {
  test(`maskSecrets() handles ${name}`, () => {
    assert.equal(maskSecrets(text), masked)
  })
}

test('tellingLines() takes errors, passes over mere waiting, and cuts the prefix of CRI', () => {
  const log = [
    '2026-11-23T14:00:00.1Z stderr F I1123 14:00:00 starting',
    '2026-11-23T14:00:00.2Z stderr F E1123 14:00:00 dial tcp 10.0.0.5:6443: connect: connection refused',
    '2026-11-23T14:00:00.3Z stderr F Error: unknown flag: --foo',
    '2026-11-23T14:00:00.4Z stderr F I1123 14:00:00 more',
    '',
  ].join('\n')
  assert.deepEqual(tellingLines(log, 5), ['Error: unknown flag: --foo'])
})

test('tellingLines() falls back to the last lines where nothing is called an error', () => {
  assert.deepEqual(tellingLines('a\nb\nc\n', 2), ['b', 'c'])
  assert.deepEqual(tellingLines('', 2), [])
})
