import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../lib/base/errors.ts'
import type { JsonObject } from '../../lib/base/json.ts'
import type { Flags } from '../../lib/cli/options.ts'
import type { Api, Response } from '../../lib/cluster/api/api-client.ts'
import { tokenSecret } from '../../lib/kubeadm/objects/bootstrap-token-objects.ts'
import { createTokens, deleteTokens, tokenId, wantedToken } from '../../lib/phases/token/token-create.ts'
import { joins, storedTokens, tokenObject, tokenTable } from '../../lib/phases/token/token-list.ts'

const NOW = new Date('2026-11-23T14:20:00Z')
const SECRET = '0123456789abcdef'

/** A cluster that answers with these; it keeps what it was sent. */
function cluster(answers: { readonly list?: JsonObject; readonly status?: number }, sent: string[] = []): Api {
  return {
    server: 'https://10.0.0.5:6443',
    send: async (method, path): Promise<Response> => {
      sent.push(`${method} ${path}`)
      return { status: answers.status ?? 200, body: '{}' }
    },
    get: async () => answers.list,
    lines: () => Promise.reject(new Error('not in this test')),
    close: () => {},
  }
}

const stored = (flags: Flags, token: string): JsonObject => tokenSecret(wantedToken(flags, token), NOW)

test('storedTokens() reads what tokenSecret() makes, and passes over what is no token', async () => {
  const items = [
    stored({}, `abcdef.${SECRET}`),
    stored({ ttl: '0', usages: 'signing,authentication', description: 'for ever' }, `fedcba.${SECRET}`),
    { metadata: { name: 'bootstrap-token-broken' }, data: { 'token-id': 'x' } },
    {},
  ]
  const group = 'system:bootstrappers:kubeadm:default-node-token'
  assert.deepEqual(await storedTokens(cluster({ list: { items } })), [
    {
      token: { id: 'abcdef', secret: SECRET },
      expires: '2026-11-24T14:20:00Z',
      usages: ['authentication', 'signing'],
      groups: [group],
    },
    {
      token: { id: 'fedcba', secret: SECRET },
      description: 'for ever',
      usages: ['authentication', 'signing'],
      groups: [group],
    },
  ])
})

const ONE = { token: { id: 'abcdef', secret: SECRET }, usages: ['authentication', 'signing'], groups: [] } as const

for (const [expires, shown] of [
  ['2026-11-23T14:20:59Z', '59s'],
  ['2026-11-23T15:19:59Z', '59m'],
  ['2026-11-24T14:20:00Z', '1d'],
  ['2026-11-24T14:19:59Z', '23h'],
  ['2028-11-23T14:20:00Z', '2y'],
  ['2026-11-23T14:00:00Z', '<invalid>'],
  ['nonsense', '<invalid>'],
  [undefined, '<forever>'],
] as const) {
  test(`tokenTable() shows ${shown} for ${expires}`, () => {
    const [heading, row] = tokenTable([{ ...ONE, ...(expires !== undefined && { expires }) }], NOW).split('\n')
    assert.equal(row?.slice(heading?.indexOf('TTL')).split(' ')[0], shown)
  })
}

test('tokenTable() stands in columns as kubeadm has them, and is empty without tokens', () => {
  assert.equal(tokenTable([], NOW), '')
  assert.equal(
    tokenTable([ONE], NOW),
    [
      'TOKEN                     TTL         EXPIRES   USAGES                   DESCRIPTION                                                EXTRA GROUPS',
      `abcdef.${SECRET}   <forever>   <never>   authentication,signing   <none>                                                     <none>`,
      '',
    ].join('\n'),
  )
})

test('tokenObject() leaves out what there is none of', () => {
  assert.deepEqual(Object.keys(tokenObject(ONE)), ['kind', 'apiVersion', 'token', 'usages'])
})

for (const [what, token, verdict] of [
  ['a whole one', ONE, true],
  ['one that has ended', { ...ONE, expires: '2026-11-23T14:19:00Z' }, false],
  ['one that cannot sign', { ...ONE, usages: ['authentication'] }, false],
] as const) {
  test(`joins() says ${verdict} of ${what}`, () => assert.equal(joins(token, NOW), verdict))
}

for (const [what, flags, token, faults] of [
  ['a token that is none', {}, 'abc', [/^token: cannot use the token: a bootstrap token is six/]],
  ['a bare number', { ttl: '5' }, undefined, [/^token: cannot use --ttl "5": it has a number without a unit/]],
  [
    'several things at once',
    { usages: 'joining', groups: 'admins' },
    undefined,
    [
      /^token: cannot use --usages "joining"/,
      /^token: cannot use --groups "admins": groups need/,
      /^token: cannot use --groups "admins": it is not a group/,
    ],
  ],
] as const) {
  test(`wantedToken() refuses ${what}`, () => {
    assert.throws(
      () => wantedToken(flags, token),
      (error: unknown) => {
        assert.ok(error instanceof UsageError)
        const lines = error.message.split('\n')
        assert.equal(lines.length, faults.length)
        for (const [index, fault] of faults.entries()) assert.match(lines[index] ?? '', fault)
        return true
      },
    )
  })
}

test('createTokens() tells of an id that is there already, without the token', async () => {
  await assert.rejects(createTokens(cluster({ status: 409 }), [wantedToken({}, `abcdef.${SECRET}`)], NOW), {
    message:
      'token: cannot create the token: a token with id "abcdef" already exists; delete it first, or use another one',
  })
})

test('deleteTokens() takes ids and whole tokens', async () => {
  const sent: string[] = []
  const deleted: string[] = []
  await deleteTokens(cluster({}, sent), ['abcdef', `fedcba.${SECRET}`], id => deleted.push(id))
  assert.deepEqual(deleted, ['abcdef', 'fedcba'])
  assert.deepEqual(
    sent,
    deleted.map(id => `DELETE /api/v1/namespaces/kube-system/secrets/bootstrap-token-${id}`),
  )
})

test('tokenId() refuses what is neither, and does not show it', () => {
  assert.throws(
    () => tokenId(`ABCDEF.${SECRET}`),
    (error: unknown) => error instanceof UsageError && !error.message.includes('ABCDEF'),
  )
})
