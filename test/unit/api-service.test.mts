import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLOSING_TEXT, openApiService, openingText } from '../../lib/machine/network/api-service.ts'

test('openingText() sends Pods who ask for the Service to the API server', () => {
  const text = openingText({ address: '10.96.0.1', server: { address: '192.0.2.2', port: 6443 } })
  assert.match(text, /^\*nat\n/)
  assert.match(
    text,
    /-A KUBESTEP-API -d 10\.96\.0\.1 -p tcp --dport 443 .* -j DNAT --to-destination 192\.0\.2\.2:6443\n/,
  )
  assert.match(text, /-A PREROUTING .* -j KUBESTEP-API\nCOMMIT\n$/)
})

test('openingText() puts an IPv6 address in brackets', () => {
  const text = openingText({ address: 'fd00:96::1', server: { address: 'fd00::2', port: 6443 } })
  assert.match(text, /--to-destination \[fd00::2\]:6443\n/)
})

test('openingText() does not touch what this machine itself sends', () => {
  assert.doesNotMatch(openingText({ address: '10.96.0.1', server: { address: '192.0.2.2', port: 6443 } }), /OUTPUT/)
})

test('CLOSING_TEXT takes away the entry before the chain', () => {
  assert.ok(CLOSING_TEXT.indexOf('-D PREROUTING') < CLOSING_TEXT.indexOf('-X KUBESTEP-API'))
})

test('openApiService() leaves the machine alone when Service and server are of different families', async () => {
  const close = await openApiService({ address: 'fd00:96::1', server: { address: '192.0.2.2', port: 6443 } })
  await close()
})
