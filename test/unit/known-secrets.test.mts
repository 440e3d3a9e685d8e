import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  addressSecrets,
  environmentSecrets,
  fieldSecrets,
  fileSecrets,
} from '../../lib/cluster/diagnose/known-secrets.ts'

describe('environmentSecrets()', () => {
  const rows: readonly (readonly [name: string, value: string, secrets: readonly string[]])[] = [
    ['GITHUB_TOKEN', 'ghs_abcdef', ['ghs_abcdef']],
    ['MY_PASSWORD', 'hunter2', ['hunter2']],
    ['HTTPS_PROXY', 'http://u:p%40ss@proxy:3128', ['p%40ss', 'p@ss']],
    ['http_proxy', 'u:hunter2@proxy:3128', ['hunter2', 'hunter2']],
    ['no_proxy', '.svc,http://u:hunter2@x,10.0.0.0/8', ['hunter2', 'hunter2']],
    ['INPUT_MIRRORS', 'https://u:one1@a,docker.io=https://two2@b', ['one1', 'one1', 'two2', 'two2']],
    ['NO_PROXY', '10.0.0.0/8,.svc', []],
    ['USE_TOKEN', 'true', []],
    ['GOOGLE_APPLICATION_CREDENTIALS', '/home/u/key.json', []],
    ['PATH', '/usr/bin:/bin', []],
    ['TOKENIZER', 'abcdefgh', []],
  ]
  for (const [name, value, secrets] of rows) {
    test(`finds ${secrets.length} in ${name}`, () => assert.deepEqual(environmentSecrets({ [name]: value }), secrets))
  }
})

test('addressSecrets() takes passwords and tokens of addresses', () => {
  assert.deepEqual(addressSecrets('--mirror=https://u:pw@a.example/x,https://b.example'), ['pw', 'pw'])
  assert.deepEqual(addressSecrets('https://a.example/u:p'), [])
})

test("fieldSecrets() reads logins as containerd, Docker and kubeadm's file write them", () => {
  const toml = '[x.auth]\n  username = "joe"\n  password = "two words"\n  auth = "am9lOmh1bnRlcjI="\n'
  assert.deepEqual(fieldSecrets(toml), ['two words', 'am9lOmh1bnRlcjI=', 'hunter2'])
  assert.deepEqual(fieldSecrets('{"auths":{"r.example":{"auth":"am9lOmh1bnRlcjI="}}}'), ['am9lOmh1bnRlcjI=', 'hunter2'])
  assert.deepEqual(fieldSecrets('bootstrapTokens:\n- token: abcdef.0123456789abcdef\ncertificateKey: "00ff00ff"\n'), [
    'abcdef.0123456789abcdef',
    '00ff00ff',
  ])
  assert.deepEqual(fieldSecrets('kind: ClusterConfiguration\nnetworking: { dnsDomain: a.example }\n'), [])
})

test('fileSecrets() takes the lines of keys, and fields; certificates are none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-secrets-'))
  const line = 'MHcCAQEEIARKUbYhccAeKJyydULBXO6M'
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const key = write('ca.key', `-----BEGIN EC PRIVATE KEY-----\n${line}\n-----END EC PRIVATE KEY-----\n`)
  const pem = write(
    'kubelet.pem',
    `-----BEGIN CERTIFICATE-----\n${line}CERT\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n${line}\n-----END EC PRIVATE KEY-----\n`,
  )
  const data = Buffer.from(`-----BEGIN EC PRIVATE KEY-----\n${line}A\n-----END EC PRIVATE KEY-----\n`).toString(
    'base64',
  )
  const conf = write('admin.conf', `users:\n- user:\n    client-key-data: ${data}\n`)
  assert.deepEqual(fileSecrets([key, pem, conf, join(folder, 'no')]), [line, line, data, `${line}A`])
  rmSync(folder, { recursive: true })
})
