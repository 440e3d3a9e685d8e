/** Questions are asked again while a server is away; what changes something is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Api, ApiError } from '../../lib/cluster/api/api-client.ts'
import { patientApi } from '../../lib/cluster/api/patient-api.ts'

/** A server that gives these one after the other: an ApiError is thrown, a status is the answer. */
function serverOf(answers: readonly (ApiError | number)[]): { readonly api: Api; readonly asked: () => number } {
  let asked = 0
  const next = (): number => {
    const answer = answers[asked++] ?? assert.fail('asked too often')
    if (answer instanceof ApiError) throw answer
    return answer
  }
  const api: Api = {
    server: '',
    send: async () => ({ status: next(), body: '{}' }),
    get: async () => (next() === 404 ? undefined : {}),
    lines: async () => {},
    close: () => {},
  }
  return { api, asked: () => asked }
}

const away = new ApiError('api: cannot reach it: socket hang up', 0)
const forbidden = new ApiError('api: forbidden', 403)
const later = (): AbortSignal => AbortSignal.timeout(60_000)

test('a question is asked until there is an answer', async () => {
  const get = serverOf([away, new ApiError('api: not ready', 503), 200])
  assert.deepEqual(await patientApi(get.api, later()).get('/a'), {})
  assert.equal(get.asked(), 3)
  const dry = serverOf([500, away, 409])
  assert.equal((await patientApi(dry.api, later()).send('PUT', '/a?dryRun=All', {})).status, 409)
})

test('a refusal is an answer, and after the deadline so is everything', async () => {
  await assert.rejects(patientApi(serverOf([forbidden]).api, later()).get('/a'), forbidden)
  await assert.rejects(patientApi(serverOf([away]).api, AbortSignal.abort()).get('/a'), away)
  assert.equal((await patientApi(serverOf([503]).api, AbortSignal.abort()).send('GET', '/a')).status, 503)
})

test('taking away is asked until there is an answer, too', async () => {
  const gone = serverOf([away, 503, 404])
  assert.equal((await patientApi(gone.api, later()).send('DELETE', '/a')).status, 404)
  assert.equal(gone.asked(), 3)
})

test('what else changes something is asked once', async () => {
  const post = serverOf([away])
  await assert.rejects(patientApi(post.api, later()).send('POST', '/a', {}), away)
  assert.equal((await patientApi(serverOf([429]).api, later()).send('POST', '/eviction', {})).status, 429)
})
