/** A real etcd serves with our certificates: to clients of its CA, and to nobody else. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { etcdFiles, health, missingEtcd as missing, startEtcd, textOf } from '../real-etcd.ts'

for (const algorithm of ['RSA-2048', 'ECDSA-P256', 'ECDSA-P384'] as const) {
  describe(`etcd with ${algorithm}`, { skip: missing }, () => {
    const ready = missing
      ? undefined
      : (async () => {
          const [files, foreign] = await Promise.all([etcdFiles(algorithm), etcdFiles('ECDSA-P256')])
          const { port } = await startEtcd(files)
          return { files, foreign, port, ca: textOf(files, 'etcd/ca.crt') }
        })()
    // Each test awaits it and tells of its failure.
    ready?.catch(() => {})

    for (const name of ['apiserver-etcd-client', 'etcd/healthcheck-client', 'etcd/server', 'etcd/peer']) {
      it(`serves a client with ${name}`, async () => {
        const { files, port, ca } = (await ready) ?? assert.fail()
        const body = await health(port, { ca, cert: textOf(files, `${name}.crt`), key: textOf(files, `${name}.key`) })
        assert.match(body, /"health":\s*"true"/)
      })
    }

    it('refuses a client without a certificate', async () => {
      const { port, ca } = (await ready) ?? assert.fail()
      await assert.rejects(health(port, { ca }))
    })

    it('refuses a client of another CA', async () => {
      const { foreign, port, ca } = (await ready) ?? assert.fail()
      const cert = textOf(foreign, 'apiserver-etcd-client.crt')
      await assert.rejects(health(port, { ca, cert, key: textOf(foreign, 'apiserver-etcd-client.key') }))
    })

    it('is refused by a client that trusts another CA', async () => {
      const { files, foreign, port } = (await ready) ?? assert.fail()
      const cert = textOf(files, 'apiserver-etcd-client.crt')
      const client = { cert, key: textOf(files, 'apiserver-etcd-client.key') }
      await assert.rejects(health(port, { ...client, ca: textOf(foreign, 'etcd/ca.crt') }))
    })

    it('may be called by its name', async () => {
      const { files, port, ca } = (await ready) ?? assert.fail()
      const cert = textOf(files, 'apiserver-etcd-client.crt')
      const body = await health(port, { ca, cert, key: textOf(files, 'apiserver-etcd-client.key') }, 'localhost')
      assert.match(body, /true/)
    })
  })
}
