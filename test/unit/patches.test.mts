import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, JsonObject } from '../../lib/base/json.ts'
import { parseVersion } from '../../lib/base/version.ts'
import { applyPatches } from '../../lib/kubeadm/patches/apply-patches.ts'
import { fieldsOf, itemType, mergeKeyOf } from '../../lib/kubeadm/patches/field-types.ts'
import { applyJsonMerge } from '../../lib/kubeadm/patches/json-merge.ts'
import { applyJsonPatch, jsonPatchFaults } from '../../lib/kubeadm/patches/json-patch.ts'
import { parsePatches } from '../../lib/kubeadm/patches/parse-patches.ts'
import { applyStrategicMerge } from '../../lib/kubeadm/patches/strategic.ts'
import { PATCH_TARGETS, parseFileName } from '../../lib/kubeadm/patches/target.ts'

const targets = Object.values(PATCH_TARGETS).at(-1) ?? []
const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'etcd' },
  spec: { containers: [{ name: 'etcd', command: ['etcd'] }] },
}

describe('parseFileName()', () => {
  const rows: readonly (readonly [name: string, meaning: object])[] = [
    ['etcd.yaml', { target: 'etcd', type: 'strategic' }],
    ['etcd.json', { target: 'etcd', type: 'strategic' }],
    ['kube-apiserver0+merge.yaml', { target: 'kube-apiserver', type: 'merge' }],
    ['kube-scheduler-any thing_9+json.json', { target: 'kube-scheduler', type: 'json' }],
    ['kube-controller-manager+strategic.yaml', { target: 'kube-controller-manager', type: 'strategic' }],
    ['kubeletconfiguration1.yaml', { target: 'kubeletconfiguration', type: 'strategic' }],
    ['corednsdeployment+mergeX.yaml', { target: 'corednsdeployment', type: 'merge' }],
    ['etcd.old.yaml', { target: 'etcd', type: 'strategic' }],
    ['etcd.+merge.yaml', { target: 'etcd', type: 'strategic' }],
    ['etcd.yml', { ignored: 'the file extension must be one of [json yaml]' }],
    ['etcd', { ignored: 'the file extension must be one of [json yaml]' }],
    ['.yaml', { ignored: 'the file extension must be one of [json yaml]' }],
    ['kube-proxy.yaml', { ignored: `unknown target, must be one of [${targets.join(' ')}]` }],
    ['etcd+.yaml', { wrong: 'unknown or missing patch type after "+"; it must be one of json, merge, strategic' }],
    ['etcd+Merge.yaml', { wrong: 'unknown or missing patch type after "+"; it must be one of json, merge, strategic' }],
  ]
  for (const [name, meaning] of rows) {
    test(`reads "${name}"`, () => {
      assert.deepEqual(parseFileName(name, targets), meaning)
    })
  }
})

describe('parsePatches()', () => {
  test('takes files in the order of their paths and every document of theirs that holds something', () => {
    const { patches } = parsePatches([
      { name: 'etcd9.yaml', content: 'a: 9\n' },
      { name: 'etcd10.yaml', content: '---\n# none\n---\na: 1\n---\n\n---\nb: 2\n' },
      { name: 'etcd+json.json', content: '[]' },
      { name: 'b/etcd.yaml', content: 'a: b\n' },
    ])
    assert.deepEqual(
      patches.map(({ file, document, type, value }) => [file, document, type, value]),
      [
        ['b/etcd.yaml', 1, 'strategic', { a: 'b' }],
        ['etcd+json.json', 1, 'json', []],
        ['etcd10.yaml', 2, 'strategic', { a: 1 }],
        ['etcd10.yaml', 4, 'strategic', { b: 2 }],
        ['etcd9.yaml', 1, 'strategic', { a: 9 }],
      ],
    )
  })

  test('knows the targets of a release', () => {
    const files = [
      { name: 'corednsdeployment.yaml', content: 'a: 1' },
      { name: 'etcd.yaml', content: 'a: 1' },
      { name: 'kubeletconfiguration.yaml', content: 'a: 1' },
    ]
    const rows: readonly (readonly [version: string, count: number])[] = [
      ['v1.20.2', 1],
      ['v1.25.0', 2],
      ['v1.31.0', 3],
    ]
    for (const [text, count] of rows) {
      const kubeadm = parseVersion(text)
      assert.ok(kubeadm !== undefined)
      assert.equal(parsePatches(files, { kubeadm }).patches.length, count, text)
    }
  })

  test('tells all faults of all files at once', () => {
    const files = [
      { name: 'etcd+.yaml', content: 'a: 1' },
      { name: 'etcd.yaml', content: 'a: [\n---\n- b\n---\nc: 1\nc: 2\n' },
      { name: 'etcd0+json.yaml', content: '- {op: add, path: a}\n- {op: move, path: /a}\n- 1\n' },
    ]
    assert.throws(
      () => parsePatches(files),
      (error: Error) => {
        assert.equal(error.name, 'KubestepError')
        assert.deepEqual(
          error.message.split('\n').map(line => line.replace(/^patches: cannot read /, '').slice(0, 40)),
          [
            '"etcd+.yaml": unknown or missing patch t',
            '"etcd.yaml", line 2: flow sequence in bl',
            '"etcd.yaml", line 3: a patch of type str',
            '"etcd.yaml", line 6: "c": it is set twic',
            '"etcd0+json.yaml", line 1: operation 1: ',
            '"etcd0+json.yaml", line 1: operation 1: ',
            '"etcd0+json.yaml", line 1: operation 2: ',
            '"etcd0+json.yaml", line 1: operation 3: ',
          ],
        )
        return true
      },
    )
  })

  test('says nothing about no files', () => {
    assert.deepEqual(parsePatches([]), { patches: [], messages: [] })
  })
})

describe('applyJsonMerge()', () => {
  // RFC 7386, appendix A, as far as both sides are mappings.
  const rows: readonly (readonly [object: JsonObject, patch: JsonObject, result: JsonObject])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [object, patch, result] of rows) {
    test(`${JSON.stringify(object)} with ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(applyJsonMerge(object, patch), result)
    })
  }
})

describe('applyJsonPatch()', () => {
  // RFC 6902, appendix A, and what kubeadm's library adds.
  const rows: readonly (readonly [document: Json, operations: readonly JsonObject[], result: Json])[] = [
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    [{ baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [{ baz: ['a', 2] }, [{ op: 'test', path: '/baz/1', value: 2 }], { baz: ['a', 2] }],
    [{ foo: 'bar' }, [{ op: 'add', path: '/child', value: { a: {} } }], { foo: 'bar', child: { a: {} } }],
    [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [{ a: 1 }, [{ op: 'copy', from: '/a', path: '/b' }], { a: 1, b: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 2] }, [{ op: 'replace', path: '/a/-1', value: 3 }], { a: [1, 3] }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: [2] }], [2]],
    [{ a: 1 }, [{ op: 'add', path: '/', value: 2 }], { a: 1, '': 2 }],
    [{ a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [{}, [{ op: 'add', path: '/__proto__', value: 1 }], JSON.parse('{"__proto__": 1}')],
  ]
  for (const [document, operations, result] of rows) {
    test(`${JSON.stringify(document)} with ${JSON.stringify(operations)}`, () => {
      assert.equal(JSON.stringify(applyJsonPatch(document, operations)), JSON.stringify(result))
    })
  }

  const refused: readonly (readonly [document: Json, operation: JsonObject, reason: RegExp])[] = [
    [
      { foo: 'bar' },
      { op: 'add', path: '/baz/bat', value: 1 },
      /^operation 1 \(add \/baz\/bat\): there is no "baz" on/,
    ],
    [{ foo: 'bar' }, { op: 'test', path: '/foo', value: 'x' }, /the test fails/],
    [{ a: [] }, { op: 'remove', path: '/a/0' }, /"0" is not an index of the list/],
    [{ a: [] }, { op: 'add', path: '/a/x', value: 1 }, /"x" is not an index of the list/],
    [{ a: [] }, { op: 'add', path: '/a/1', value: 1 }, /"1" is not an index of the list/],
    [{ a: 1 }, { op: 'remove', path: '/b' }, /there is no "b"/],
    [{ a: 1 }, { op: 'copy', from: '/b', path: '/c' }, /there is no "b"/],
    [{ a: 1 }, { op: 'replace', path: '/a/b', value: 1 }, /no mapping or list/],
    [{ a: 1 }, { op: 'remove', path: '' }, /the whole document/],
    [{ a: 1 }, { op: 'remove', path: '/toString' }, /there is no "toString"/],
  ]
  for (const [document, operation, reason] of refused) {
    test(`refuses ${JSON.stringify(operation)} on ${JSON.stringify(document)}`, () => {
      assert.throws(() => applyJsonPatch(document, [operation]), { message: reason })
    })
  }

  test('jsonPatchFaults() finds what is wrong with the form', () => {
    assert.deepEqual(jsonPatchFaults([{ op: 'add', path: '/a', value: null }]), [])
    assert.deepEqual(jsonPatchFaults({}), ['a patch of type json has to be a list of operations'])
    assert.equal(
      jsonPatchFaults([
        { op: 'toString', path: '/a' },
        { op: 'copy', path: '/a', from: 1 },
      ]).length,
      2,
    )
  })
})

describe('applyStrategicMerge()', () => {
  const named = (...names: string[]): JsonObject[] => names.map(name => ({ name }))
  const ordered: readonly (readonly [before: string, patch: string, after: string])[] = [
    ['a b c', 'c', 'a b c'],
    ['a b c', 'c a', 'b c a'],
    ['a b c', 'x', 'x a b c'],
    ['a b c', 'x b', 'x a b c'],
    ['a b c', 'b x', 'a b x c'],
    ['a', 'y x', 'y x a'],
  ]
  for (const [before, patch, after] of ordered) {
    test(`merges the containers ${before} and ${patch} to ${after}`, () => {
      const merged = applyStrategicMerge(
        { containers: named(...before.split(' ')) },
        { containers: named(...patch.split(' ')) },
        'PodSpec',
      )
      assert.deepEqual(merged.containers, named(...after.split(' ')))
    })
  }

  test('does not touch what it was given', () => {
    const freeze = (value: Json): Json => {
      if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) freeze(member ?? null)
      return Object.freeze(value)
    }
    const patch = freeze({ spec: { containers: [{ name: 'etcd', env: [{ name: 'a' }] }, { name: 'b' }] } })
    assert.doesNotThrow(() => applyStrategicMerge(freeze(pod) as JsonObject, patch as JsonObject, 'Pod'))
  })
})

describe('applyPatches()', () => {
  const patch = (content: string, name = 'etcd.yaml') => parsePatches([{ name, content }]).patches

  test('gives an object back as it is when there is no patch for it', () => {
    assert.equal(applyPatches(patch('a: 1', 'kube-scheduler.yaml'), 'etcd', pod).object, pod)
  })

  test('drops fields that a Pod does not know, and says so', () => {
    const { object, messages } = applyPatches(patch('spec: {hostNetwrok: true}'), 'etcd', pod)
    assert.equal(JSON.stringify(object).includes('hostNetwrok'), false)
    assert.deepEqual(messages, [
      '[patches] Applied patch of type "application/strategic-merge-patch+json" to target "etcd"',
      '[patches] WARNING: Ignoring "spec.hostNetwrok" (did you mean "hostNetwork"?) in the patches for "etcd": a Pod has no such field',
    ])
  })

  test('writes creationTimestamp where the release did', () => {
    const old = { ...pod, metadata: { creationTimestamp: null, name: 'etcd' } }
    const { object } = applyPatches(patch('$patch: replace\napiVersion: v1\nkind: Pod\n'), 'etcd', old)
    assert.deepEqual(object.metadata, { creationTimestamp: null })
  })

  const refused: readonly (readonly [content: string, message: RegExp])[] = [
    [
      'spec:\n  containers:\n  - name: etcd\n    env: [{name: TOKEN, value: 12345}]\n  hostNetwork: "on"\n',
      /^patches: cannot use the patched "etcd": "spec\.containers\[0\]\.env\[0\]\.value" has to be a text; quote it\npatches: .*"spec\.hostNetwork" has to be true or false$/,
    ],
    [
      'spec: {containers: [{image: x}]}',
      /cannot apply document 1 of "etcd\.yaml" \(strategic\) to "etcd": .* lacks "name"/,
    ],
    ['kind: Job', /its kind is no longer "Pod"/],
  ]
  for (const [content, message] of refused) {
    test(`refuses ${JSON.stringify(content)} without showing values`, () => {
      assert.throws(
        () => applyPatches(patch(content), 'etcd', pod),
        (error: Error) => {
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /12345/)
          return true
        },
      )
    })
  }
})

describe('the tables of types', () => {
  const plain = /^(string|bool|int32|int64|quantity|intOrString|time|creationTime|json|status)$/
  const seen = new Set<string>()
  const check = (type: string): void => {
    const name = type
      .replace(/^\*/, '')
      .replace(/^(\[\]|\{\})/, '')
      .replace(/^\*/, '')
    if (plain.test(name) || seen.has(name)) return
    seen.add(name)
    const fields = fieldsOf(name)
    assert.ok(fields !== undefined, `no table for ${name}`)
    for (const field of fields) check(field.type)
  }

  test('name no type that is not there', () => {
    check('Pod')
    check('Deployment')
    assert.ok(seen.size > 80)
  })

  test('mergeKeyOf() tells lists apart', () => {
    assert.equal(mergeKeyOf('*PodSpec', 'containers'), 'name')
    assert.equal(mergeKeyOf('Container', 'ports'), 'containerPort')
    assert.equal(mergeKeyOf('PodSpec', 'tolerations'), undefined)
    assert.equal(itemType('[]Container'), 'Container')
  })
})
