import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { isClusterInfoSigned, signClusterInfo } from '../../lib/kubeadm/credentials/cluster-info-signature.ts'

const TOKEN = { id: 'abcdef', secret: '0123456789abcdef' }
const KUBECONFIG = 'apiVersion: v1\nkind: Config\n# ä €\n'

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

/** By the text of RFC 7515 appendix F alone. */
function detached(header: object, kubeconfig = KUBECONFIG, secret = TOKEN.secret): string {
  const head = base64url(JSON.stringify(header))
  return `${head}..${createHmac('sha256', secret)
    .update(`${head}.${base64url(kubeconfig)}`)
    .digest('base64url')}`
}

const HEADER = { alg: 'HS256', kid: TOKEN.id }

test('signClusterInfo() gives the header and the signature, without what is signed', async () => {
  assert.equal(await signClusterInfo(KUBECONFIG, TOKEN), detached(HEADER))
})

const RIGHT = detached(HEADER)
const ROWS: readonly (readonly [what: string, signature: string, holds: boolean])[] = [
  ["the token's", RIGHT, true],
  ['of another text', detached(HEADER, `${KUBECONFIG}\n`), false],
  ['with another secret', detached(HEADER, KUBECONFIG, '0123456789abcdeg'), false],
  ['of another token', detached({ ...HEADER, kid: 'abcdeg' }), false],
  ['without a token', detached({ alg: 'HS256' }), false],
  ['that says it is none', `${base64url('{"alg":"none","kid":"abcdef"}')}..`, false],
  ['with its text inside', RIGHT.replace('..', `.${base64url(KUBECONFIG)}.`), false],
  ['with more behind it', `${RIGHT}.`, false],
  ['that is empty', '', false],
]
for (const [what, signature, holds] of ROWS) {
  test(`isClusterInfoSigned() ${holds ? 'takes' : 'refuses'} a signature ${what}`, async () => {
    assert.equal(await isClusterInfoSigned(KUBECONFIG, signature, TOKEN), holds)
  })
}
