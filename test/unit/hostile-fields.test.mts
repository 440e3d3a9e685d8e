// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts for shells
/** Every field of a configuration that takes a text, with texts that shells, systemd and YAML make something of. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KubestepError } from '../../lib/base/errors.ts'
import type { Shape, Struct } from '../../lib/base/go/struct.ts'
import { isObject, type Json, type JsonObject } from '../../lib/base/json.ts'
import { parse, parseAll } from '../../lib/base/yaml.ts'
import { KUBE_PROXY_CONFIGURATION } from '../../lib/kubeadm/component-configs/kube-proxy-schema.ts'
import { KUBELET_CONFIGURATION } from '../../lib/kubeadm/component-configs/kubelet-schema.ts'
import { V1BETA4 } from '../../lib/kubeadm/config/kubeadm-schema.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { kubeletFiles } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import { manifestFiles, staticPods } from '../../lib/kubeadm/manifests/manifests.ts'
import { COMPONENT_NAMES } from '../../lib/kubeadm/manifests/static-pods.ts'
import { clusterObjectsYaml } from '../../lib/kubeadm/objects/cluster-object.ts'
import { parseVariables, splitWords } from '../../lib/machine/service/supervise.mjs'
import { clusterObjects, GOLDEN_FACTS } from './objects-cases.mts'

const NASTY: readonly string[] = [
  '$(touch x)',
  '`touch x`',
  'a;touch x;b',
  'a\ntouch x\nb',
  `'; touch x; '`,
  '"; touch x; "',
  '%n %H $HOME ${PATH}',
  'back\\slash',
  'a: [b, {c',
  '---\nkind: Pod',
]

const KUBEADM = 'kubeadm.k8s.io/v1beta4'
/** At least so many of them are no fault, so that files were looked at. */
const DOCUMENTS: readonly (readonly [apiVersion: string, kind: string, struct: Struct, least: number])[] = [
  [KUBEADM, 'InitConfiguration', V1BETA4('InitConfiguration'), 3],
  [KUBEADM, 'ClusterConfiguration', V1BETA4('ClusterConfiguration'), 10],
  ['kubelet.config.k8s.io/v1beta1', 'KubeletConfiguration', KUBELET_CONFIGURATION, 10],
  ['kubeproxy.config.k8s.io/v1alpha1', 'KubeProxyConfiguration', KUBE_PROXY_CONFIGURATION, 10],
]

/** Documents that hold `value` in one text each, by the path of that. */
function* placed(struct: Struct, value: string, path = ''): Generator<readonly [path: string, fields: JsonObject]> {
  for (const [name, shape] of struct) {
    const own = path === '' ? name : `${path}.${name}`
    for (const [at, content] of contents(shape, value, own)) yield [at, { [name]: content }]
  }
}

function* contents(shape: Shape, value: string, path: string): Generator<readonly [path: string, content: Json]> {
  if (typeof shape === 'string') {
    const plain = shape.replace(/!$/, '')
    if (/^\*?string$/.test(plain)) yield [path, value]
    else if (plain === '[]string') yield [path, [value]]
    else if (plain === '{}string') yield [path, { [value]: value }]
    else if (plain === '{}[]string') yield [path, { [value]: [value] }]
    else if (plain.startsWith('{}')) yield [path, { [value]: true }]
    return
  }
  if ('list' in shape) for (const [at, content] of placed(shape.list, value, path)) yield [at, [content]]
  else if ('pointer' in shape) yield* placed(shape.pointer, value, path)
  else yield* placed(shape, value, path)
}

/** Everything that an init would write for it. */
function written(document: JsonObject): readonly { readonly path: string; readonly content: string }[] {
  const isComponent = document.apiVersion !== KUBEADM
  const text = [document, ...(isComponent ? [{ apiVersion: KUBEADM, kind: 'ClusterConfiguration' }] : [])]
    .map(row => JSON.stringify(row))
    .join('\n---\n')
  const { config } = loadInitConfig({ text, file: 'kubeadm.yaml', flags: {} }, GOLDEN_FACTS)
  const objects = clusterObjects(config, { caCertificate: 'PEM\n', now: new Date(0) })
  return [
    ...manifestFiles(staticPods(config, GOLDEN_FACTS)),
    ...kubeletFiles(config, GOLDEN_FACTS).files,
    { path: 'objects.yaml', content: clusterObjectsYaml(objects) },
  ].map(({ path, content }) => ({ path, content: content.toString() }))
}

function check(path: string, content: string): void {
  if (path.endsWith('kubeadm-flags.env')) {
    const variables = parseVariables(content)
    assert.deepEqual([...variables.keys()], ['KUBELET_KUBEADM_ARGS'], 'one variable, whatever stands in it')
    for (const word of splitWords(variables.get('KUBELET_KUBEADM_ARGS') ?? '').slice(0, 1)) assert.match(word, /^--/)
  } else if (path.includes('/manifests/')) {
    const { kind, spec } = parse(content) as JsonObject
    assert.equal(kind, 'Pod')
    const [container] = isObject(spec) ? (spec.containers as readonly JsonObject[]) : []
    const [program, ...args] = (container?.command ?? []) as readonly string[]
    assert.ok(COMPONENT_NAMES.includes(program as never), program)
    for (const arg of args) assert.ok(arg.startsWith('--'), arg)
  } else for (const document of parseAll(content)) assert.ok(document === null || isObject(document as Json), path)
}

describe('a hostile text in a field of the configuration is refused in words, or is data in every file', () => {
  for (const [apiVersion, kind, struct, least] of DOCUMENTS) {
    test(kind, () => {
      const seen = { refused: 0, written: 0 }
      for (const [turn, value] of NASTY.entries()) {
        for (const [index, [path, fields]] of [...placed(struct, value)].entries()) {
          // Each field gets one of them, and its neighbours others.
          if ((turn + index) % NASTY.length > 0) continue
          try {
            for (const file of written({ apiVersion, kind, ...fields })) check(file.path, file.content)
            seen.written++
          } catch (error) {
            assert.ok(error instanceof KubestepError, `${path}, ${JSON.stringify(value)}: ${error}`)
            assert.match(error.message, /: /)
            seen.refused++
          }
        }
      }
      assert.ok(seen.written >= least, JSON.stringify(seen))
    })
  }
})
