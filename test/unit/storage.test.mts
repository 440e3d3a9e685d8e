import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Claim,
  claimOf,
  folderSteps,
  storageSteps,
  type Volume,
  volumeOf,
} from '../../lib/cluster/storage/claims.ts'
import { hostNameOf, isVolumePath, volumeObject, volumePath } from '../../lib/cluster/storage/volume-object.ts'

const OURS = 'kubestep/folder'

/** A claim as the API has it once the scheduler has chosen a node for its Pod. */
function claim(changes: Partial<Claim> = {}): Claim {
  const object = {
    metadata: {
      namespace: 'shop',
      name: 'data-db-0',
      uid: '1-2',
      resourceVersion: '7',
      annotations: { 'volume.kubernetes.io/storage-provisioner': OURS, 'volume.kubernetes.io/selected-node': 'n1' },
    },
    spec: {
      storageClassName: 'standard',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      volumeMode: 'Filesystem',
    },
  }
  return { ...claimOf(object), ...changes }
}

function volume(changes: Partial<Volume> = {}): Volume {
  const object = {
    ...volumeObject(claim(), { provisioner: OURS, reclaims: 'Delete', node: 'n1', hostName: 'h1' }),
    status: { phase: 'Bound' },
  }
  return { ...volumeOf(object), ...changes }
}

/** What is done, in a word each. */
function done(claims: readonly Claim[], volumes: readonly Volume[]): string[] {
  const { make, refuse, remove, grow } = storageSteps(claims, volumes, OURS)
  return [
    ...make.map(({ name }) => `make ${name}`),
    ...refuse.map(({ reason }) => `refuse: ${reason}`),
    ...remove.map(({ name }) => `remove ${name}`),
    ...grow.map(({ claim: { size }, volume: { name } }) => `grow ${name} to ${size}`),
  ]
}

describe('storageSteps()', () => {
  const bound = claim({ volume: 'pvc-1-2' })
  const rows: readonly (readonly [
    name: string,
    claims: readonly Claim[],
    volumes: readonly Volume[],
    steps: string[],
  ])[] = [
    ['a claim without a volume gets one', [claim()], [], ['make data-db-0']],
    ['also one of any access mode', [claim({ modes: ['ReadWriteMany'] })], [], ['make data-db-0']],
    ['not before anybody is asked for it', [claim({ provisioner: '' })], [], []],
    ['not one of another class', [claim({ provisioner: 'rancher.io/local-path' })], [], []],
    ['not one that is going', [claim({ isGoing: true })], [], []],
    ['not twice', [claim()], [volume({ phase: 'Pending' })], []],
    ['not one that is bound', [bound], [volume()], []],
    ['no block device', [claim({ isBlock: true })], [], ['refuse: a folder is no block device; leave volumeMode out']],
    [
      'no copy',
      [claim({ source: 'VolumeSnapshot s' })],
      [],
      ['refuse: a folder cannot begin as a copy of VolumeSnapshot s; leave dataSource out'],
    ],
    ['a volume goes with its claim', [], [volume({ phase: 'Released' })], ['remove pvc-1-2']],
    ['also when that failed once', [], [volume({ phase: 'Failed' })], ['remove pvc-1-2']],
    ['not one that is to be kept', [], [volume({ phase: 'Released', reclaims: 'Retain' })], []],
    ['not one of somebody else', [], [volume({ phase: 'Released', provisioner: 'x' })], []],
    ['not one that is going', [], [volume({ phase: 'Released', isGoing: true })], []],
    ['a claim that asks for more gets it', [{ ...bound, size: '1.5Gi' }], [volume()], ['grow pvc-1-2 to 1.5Gi']],
    ['and not less', [{ ...bound, size: '1000Mi' }], [volume()], []],
    ['nor the same in other words', [{ ...bound, size: '1024Mi' }], [volume()], []],
  ]
  for (const [name, claims, volumes, steps] of rows) {
    test(name, () => assert.deepEqual(done(claims, volumes), steps))
  }
})

describe('folderSteps()', () => {
  const rows: readonly (readonly [name: string, before: readonly Volume[], now: readonly Volume[], steps: string[]])[] =
    [
      ['a new volume gets its folder', [], [volume()], ['make pvc-1-2']],
      ['also before its claim has it', [], [volume({ phase: '' })], ['make pvc-1-2']],
      ['not again', [volume()], [volume()], []],
      ['not when its claim has gone', [], [volume({ phase: 'Released' })], []],
      ['not on another node', [], [volume({ node: 'n2' })], []],
      ['it goes with the volume', [volume({ phase: 'Released' })], [], ['remove pvc-1-2']],
      ['not while that is there', [volume()], [volume({ phase: 'Released' })], []],
      ['not one that is to be kept', [volume({ reclaims: 'Retain' })], [], []],
      ['not one of another node', [volume({ node: 'n2' })], [], []],
    ]
  for (const [name, before, now, wanted] of rows) {
    test(name, () => {
      const { make, remove } = folderSteps(before, now, ['n0', 'n1'])
      assert.deepEqual([...make.map(one => `make ${one.name}`), ...remove.map(one => `remove ${one.name}`)], wanted)
    })
  }
})

describe('claimOf()', () => {
  test('the class of the old annotation counts before that of the field', () => {
    const annotations = { 'volume.beta.kubernetes.io/storage-class': 'fast' }
    assert.equal(claimOf({ metadata: { annotations }, spec: { storageClassName: 'standard' } }).storageClass, 'fast')
    assert.equal(claimOf({ metadata: { annotations }, spec: {} }).storageClass, 'fast')
    assert.equal(claimOf({ metadata: {}, spec: {} }).storageClass, '')
  })

  test('knows who is asked as every release says it', () => {
    for (const key of ['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner']) {
      assert.equal(claimOf({ metadata: { annotations: { [key]: OURS } } }).provisioner, OURS)
    }
  })

  test('knows what it is a copy of', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'other' }
    assert.equal(claimOf({ spec: { dataSource: source } }).source, 'PersistentVolumeClaim other')
    assert.equal(claimOf({ spec: { dataSourceRef: source } }).source, 'PersistentVolumeClaim other')
  })
})

describe('the volume of a claim', () => {
  test('lies in a folder of ours, and nothing else does', () => {
    assert.equal(volumePath(claim()), '/var/lib/kubestep/volumes/shop_data-db-0_pvc-1-2')
    assert.ok(isVolumePath(volumePath(claim())))
    for (const path of [
      '/',
      '',
      '/var/lib/kubestep/volumes',
      '/var/lib/kubestep/volumes/',
      '/var/lib/kubestep/volumes/..',
      '/var/lib/kubestep/volumes/.',
      '/var/lib/kubestep/volumes/a/..',
      '/var/lib/kubestep/volumes/a/b',
      '/var/lib/kubestep/volumes/../journal.jsonl',
      'var/lib/kubestep/volumes/a',
    ]) {
      assert.ok(!isVolumePath(path), path)
    }
  })

  test('is for its claim and its node alone', () => {
    const { spec } = volumeObject(claim(), { provisioner: OURS, reclaims: 'Retain', node: 'n1', hostName: 'h1' }) as {
      spec: Record<string, object>
    }
    assert.deepEqual(spec.claimRef, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: 'shop',
      name: 'data-db-0',
      uid: '1-2',
      resourceVersion: '7',
    })
    assert.match(JSON.stringify(spec.nodeAffinity), /"kubernetes\.io\/hostname","operator":"In","values":\["h1"\]/)
    assert.equal(spec.persistentVolumeReclaimPolicy, 'Retain')
  })

  test('goes by the label of the node, which may be another name', () => {
    assert.equal(hostNameOf({ metadata: { name: 'n', labels: { 'kubernetes.io/hostname': 'h' } } }), 'h')
    assert.equal(hostNameOf({ metadata: { name: 'n' } }), 'n')
  })
})
