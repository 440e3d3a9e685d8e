import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pullOrder } from '../../lib/kubeadm/images/image-list.ts'
import { CriError } from '../../lib/supply/cri/grpc.ts'
import { readMirrors } from '../../lib/supply/fetch/mirrors.ts'
import { pullError } from '../../lib/supply/images/pull-by-runtime.ts'
import { wayOf } from '../../lib/supply/images/pull-images.ts'
import { sandboxImage } from '../../lib/supply/images/sandbox-image.ts'

test('pullOrder() begins with what the first static Pods need, whatever the registry', () => {
  const images = ['kube-apiserver:v1', 'kube-proxy:v1', 'coredns/coredns:v1', 'pause:3', 'etcd:3@sha256:0'].map(
    name => `127.0.0.1:5000/a/${name}`,
  )
  assert.deepEqual(
    pullOrder(['x.example/not-etcd:1', ...images]).map(image => image.split('/').at(-1)),
    ['pause:3', 'etcd:3@sha256:0', 'kube-apiserver:v1', 'not-etcd:1', 'kube-proxy:v1', 'coredns:v1'],
  )
})

describe('wayOf()', () => {
  const rows: readonly (readonly [ours: boolean, mirror: string, way: string])[] = [
    [false, '', 'runtime'],
    [false, 'https://files.example', 'runtime'],
    [false, 'docker.io=https://m.example', 'runtime'],
    [false, 'registry.k8s.io=https://m.example', 'import'],
    [true, '', 'import'],
  ]
  for (const [ours, mirror, way] of rows) {
    test(`of ${ours ? 'our own runtime' : 'a runtime'} with ${mirror || 'no mirror'} is ${way}`, () => {
      assert.equal(wayOf({ ours }, 'registry.k8s.io/pause:3.10.2', readMirrors(mirror)), way)
    })
  }
})

describe('sandboxImage()', () => {
  const rows: readonly (readonly [what: string, name: string, file: string | undefined, image: string | undefined])[] =
    [
      [
        'containerd 1',
        'containerd',
        'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "a/pause:1"\n',
        'a/pause:1',
      ],
      [
        'containerd 2',
        'containerd',
        "version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'a/pause:2'\n",
        'a/pause:2',
      ],
      ['CRI-O', 'cri-o', '[crio.image]\npause_image = "a/pause:3"\n', 'a/pause:3'],
      ['another one', 'else', '[crio.image]\npause_image = "a/pause:3"\n', undefined],
      ['nothing in the file', 'containerd', 'version = 2\n', undefined],
      ['a damaged file', 'containerd', '[plugins', undefined],
      ['no file', 'containerd', undefined, undefined],
    ]
  for (const [what, name, file, image] of rows) {
    test(`of ${what}`, async () =>
      assert.equal(
        await sandboxImage(
          { name },
          () => file,
          async () => '',
        ),
        image,
      ))
  }

  test('is what the runtime says over CRI, whatever stands in a file', async () => {
    const read = (): string => {
      throw new Error('not to be read')
    }
    assert.equal(await sandboxImage({ name: 'containerd', pauseImage: 'b/pause:1' }, read), 'b/pause:1')
    assert.equal(await sandboxImage({ name: 'containerd' }, read, async () => ''), undefined)
  })

  test('is what containerd has by default where its file does not say', async () => {
    const dump = async (): Promise<string> =>
      "[plugins]\n[plugins.'io.containerd.cri.v1.images']\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'b/pause:2'\n"
    assert.equal(await sandboxImage({ name: 'containerd' }, () => 'version = 3\n', dump), 'b/pause:2')
    assert.equal(await sandboxImage({ name: 'cri-o' }, () => undefined, dump), undefined)
  })
})

describe('pullError()', () => {
  const head = 'runtime: cannot call PullImage of "unix:///run/c.sock": '
  const failed = 'failed to pull and unpack image "a.example/b:1": failed to resolve reference "a.example/b:1": '
  const rows: readonly (readonly [text: string, reached: boolean, again: boolean, shown: string])[] = [
    [
      'failed to do request: Head "https://a.example/v2/b/manifests/1": dial tcp: lookup a.example on 10.0.0.1:53: no such host',
      false,
      true,
      'dial tcp: lookup a.example on 10.0.0.1:53: no such host',
    ],
    [
      'failed to do request: Head "https://a.example/v2/b/manifests/1": dial tcp 10.0.0.9:443: i/o timeout',
      false,
      false,
      'dial tcp 10.0.0.9:443: i/o timeout',
    ],
    ['a.example/b:1: not found', true, false, 'a.example/b:1: not found'],
    [
      'pull access denied, repository does not exist or may require authorization',
      true,
      false,
      'pull access denied, repository does not exist or may require authorization',
    ],
    [
      'unexpected status code [manifests 1]: 500 Internal Server Error',
      true,
      true,
      'unexpected status code [manifests 1]: 500 Internal Server Error',
    ],
    [
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      true,
      false,
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    ['something new', true, false, 'something new'],
  ]
  for (const [text, reached, again, shown] of rows) {
    test(`of ${JSON.stringify(shown)}`, () => {
      const error = pullError(new CriError(`${head}${failed}${text}`, 2), 'a.example')
      assert.deepEqual([error.host, error.reached, error.again, error.message], ['a.example', reached, again, shown])
    })
  }
})
