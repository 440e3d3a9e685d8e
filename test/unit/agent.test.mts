/** What parts of the agent share: whose name they use, and when an API server is there for them. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { type Api, ApiError } from '../../lib/cluster/api/api-client.ts'
import { keptCredentials } from '../../lib/phases/agent/kept-credentials.ts'
import { waitForServer } from '../../lib/phases/agent/server-wait.ts'

describe('keptCredentials()', () => {
  const kubeconfig = (ca: string): string => `
clusters: [{ name: c, cluster: { server: 'https://10.0.0.5:6443', certificate-authority-data: ${btoa(ca)} } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
users: [{ name: u, user: { client-certificate: /pki/client.pem, client-key: /pki/client.pem } }]
`
  const files = new Map([
    ['/kubelet.conf', kubeconfig('first CA')],
    ['/pki/client.pem', 'first'],
  ])
  const credentials = keptCredentials('/kubelet.conf', path => files.get(path))

  test('are the same as long as nothing has changed', () => {
    assert.equal(credentials()?.certificate, 'first')
    assert.equal(credentials(), credentials())
  })
  test('are new when a file has changed that the kubeconfig names', () => {
    files.set('/pki/client.pem', 'second')
    assert.equal(credentials()?.certificate, 'second')
  })
  test('are new when the kubeconfig has changed', () => {
    files.set('/kubelet.conf', kubeconfig('second CA'))
    assert.equal(credentials()?.ca, 'second CA')
  })
  test('are none without a kubeconfig, also one that was there', () => {
    assert.equal(keptCredentials('/admin.conf', path => files.get(path))(), undefined)
    files.delete('/kubelet.conf')
    assert.equal(credentials(), undefined)
  })
})

describe('waitForServer()', () => {
  /** What a server says, in turn: a status, or nothing. */
  const asked = async (answers: readonly (number | undefined)[]): Promise<string[]> => {
    const listener = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as { readonly port: number }
    const said: string[] = []
    const api: Api = {
      server: `https://127.0.0.1:${port}`,
      send: async (method, path) => {
        const status = answers[said.length]
        said.push(`${method} ${path} ${status}`)
        if (status === undefined) throw new ApiError('no answer', 0)
        return { status, body: '' }
      },
      get: () => Promise.reject(new Error('not in this test')),
      lines: () => Promise.reject(new Error('not in this test')),
      close: () => said.push('close'),
    }
    let tries = 0
    const open = (): Api => {
      // The first time there is no kubeconfig yet.
      if (tries++ === 0) throw new Error('not there')
      return api
    }
    await waitForServer(open, new AbortController().signal)
    listener.close()
    return said
  }

  test('asks until the server is ready for whoever asks', async () => {
    assert.deepEqual(await asked([undefined, 403, 500, 200]), [
      'GET /readyz undefined',
      'GET /readyz 403',
      'GET /readyz 500',
      'GET /readyz 200',
      'close',
    ])
  })
  test('ends when it is told to', async () => {
    await waitForServer(() => assert.fail('it asks nobody'), AbortSignal.abort())
  })
})
