/** What somebody has changed by hand is found, and kept when the thing is rendered anew. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from '../../lib/base/yaml.ts'
import { migrateCorefile } from '../../lib/kubeadm/objects/corefile-migration.ts'
import { editText, keepEdits } from '../../lib/kubeadm/upgrade/kept-edits.ts'
import { mergedFile } from '../../lib/kubeadm/upgrade/merged-file.ts'

const pod = (image: string, command: readonly string[], more: object = {}): object => ({
  spec: { containers: [{ name: 'a', image, command, ...more }] },
})

interface Row {
  readonly name: string
  readonly base: object
  readonly theirs: object
  readonly ours: object
  readonly becomes: object
  readonly edits: readonly string[]
}

const ROWS: readonly Row[] = [
  {
    name: 'nobody changed anything',
    base: pod('a:1', ['a', '--x=1', '--gone=1']),
    theirs: pod('a:1', ['a', '--x=1', '--gone=1']),
    ours: pod('a:2', ['a', '--x=2', '--new=1']),
    becomes: pod('a:2', ['a', '--x=2', '--new=1']),
    edits: [],
  },
  {
    name: 'a flag added, one changed, one taken away',
    base: pod('a:1', ['a', '--x=1', '--y=1', '--z=1']),
    theirs: pod('a:1', ['a', '--x=5', '--y=1', '--v=4']),
    ours: pod('a:2', ['a', '--x=2', '--y=2', '--z=1']),
    becomes: pod('a:2', ['a', '--x=5', '--y=2', '--v=4']),
    edits: [
      'spec.containers[a].command[--x]: --x=1 -> --x=5',
      'spec.containers[a].command[--z] removed: --z=1',
      'spec.containers[a].command[--v] added: --v=4',
    ],
  },
  {
    name: 'the new release says what they had said',
    base: pod('a:1', ['a']),
    theirs: pod('a:1', ['a', '--v=4']),
    ours: pod('a:2', ['a', '--v=4']),
    becomes: pod('a:2', ['a', '--v=4']),
    edits: [],
  },
  {
    name: 'an image is what an upgrade is about',
    base: pod('a:1', ['a']),
    theirs: pod('mine:1', ['a']),
    ours: pod('a:2', ['a']),
    becomes: pod('a:2', ['a']),
    edits: ['spec.containers[a].image: a:1 -> mine:1'],
  },
  {
    name: 'a flag that may be there twice',
    base: pod('a:1', ['a', '--issuer=1']),
    theirs: pod('a:1', ['a', '--issuer=1', '--issuer=2']),
    ours: pod('a:2', ['a', '--issuer=1', '--new=1']),
    becomes: pod('a:2', ['a', '--issuer=1', '--new=1', '--issuer=2']),
    edits: ['spec.containers[a].command[--issuer=2] added: --issuer=2'],
  },
  {
    name: 'mounts of one volume are told apart by their place',
    base: pod('a:1', [], { volumeMounts: [{ mountPath: '/a', name: 'v' }] }),
    theirs: pod('a:1', [], {
      volumeMounts: [
        { mountPath: '/a', name: 'v' },
        { mountPath: '/b', name: 'v' },
      ],
    }),
    ours: pod('a:2', [], { volumeMounts: [{ mountPath: '/a', name: 'v', readOnly: true }] }),
    becomes: pod('a:2', [], {
      volumeMounts: [
        { mountPath: '/a', name: 'v', readOnly: true },
        { mountPath: '/b', name: 'v' },
      ],
    }),
    edits: ['spec.containers[a].volumeMounts[/b] added: {"mountPath":"/b","name":"v"}'],
  },
  {
    name: 'another order is no change, nor is an empty value',
    base: pod('a:1', ['a', '--x=1', '--y=1'], { resources: {} }),
    theirs: pod('a:1', ['a', '--y=1', '--x=1']),
    ours: pod('a:2', ['a', '--x=1', '--y=1'], { resources: {} }),
    becomes: pod('a:2', ['a', '--x=1', '--y=1'], { resources: {} }),
    edits: [],
  },
]

for (const { name, base, theirs, ours, becomes, edits } of ROWS) {
  test(name, () => {
    const merged = keepEdits(base as never, theirs as never, ours as never)
    assert.deepEqual(merged.value, becomes)
    assert.deepEqual(merged.edits.map(editText), edits)
  })

  test(`${name}, once more on what it became`, () => {
    const { value } = keepEdits(base as never, theirs as never, ours as never)
    assert.deepEqual(keepEdits(ours as never, value, ours as never).value, becomes)
  })
}

test('a file that nobody has changed is that of the new version, byte for byte', () => {
  const ours = '# as rendered\nspec: {}\n'
  const base = stringify({ spec: { a: 1 } })
  const path = '/etc/kubernetes/manifests/etcd.yaml'
  assert.equal(mergedFile({ path, base, theirs: base, ours }).content, ours)
  assert.equal(mergedFile({ path, base, theirs: 'spec:\n    a: 1\n', ours }).content, ours)
  assert.equal(mergedFile({ path, ours }).content, ours)
})

const ENV = '/var/lib/kubelet/kubeadm-flags.env'
const env = (flags: string): string => `KUBELET_KUBEADM_ARGS=${JSON.stringify(flags)}\n`

const FLAG_ROWS: readonly (readonly [theirs: string, becomes: string])[] = [
  [env('--pod-infra-container-image=p:1'), env('')],
  [env('--pod-infra-container-image=p:1 --node-ip=10.0.0.5'), env('--node-ip=10.0.0.5')],
  [env('--pod-infra-container-image=mine'), env('--pod-infra-container-image=mine')],
  ["KUBELET_KUBEADM_ARGS='--pod-infra-container-image=p:1 --v=4'\n", env('--v=4')],
  ['KUBELET_KUBEADM_ARGS=--v=4\n', env('--v=4')],
]

for (const [theirs, becomes] of FLAG_ROWS) {
  test(`flags of the kubelet: ${theirs.trim()}`, () => {
    const base = env('--pod-infra-container-image=p:1')
    assert.equal(mergedFile({ path: ENV, base, theirs, ours: env('') }).content, becomes)
  })
}

const OLD = `.:53 {
    kubernetes cluster.local {
        upstream
        resyncperiod 5s
        pods insecure
        transfer to 10.0.0.1
    }
    # upstream stays in a comment
    forward . 1.1.1.1
}
example.org {
    file /zones/example.org {
        upstream
    }
}
`

const NEW = `.:53 {
    kubernetes cluster.local {
        pods insecure
    }
    transfer {
        to 10.0.0.1
    }
    # upstream stays in a comment
    forward . 1.1.1.1
}
example.org {
    file /zones/example.org {
        upstream
    }
}
`

const COREFILES: readonly (readonly [from: string, to: string, becomes: string])[] = [
  ['1.6.7', 'v1.14.2', NEW],
  ['v1.8.0', 'v1.14.2', OLD],
  ['1.6.7', '1.6.7', OLD],
  ['1.6.7', 'latest', OLD],
]

for (const [from, to, becomes] of COREFILES) {
  test(`a user's Corefile from CoreDNS ${from} to ${to}`, () => assert.equal(migrateCorefile(OLD, from, to), becomes))
}
