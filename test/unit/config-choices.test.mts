import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { CHOICE_FIELDS, choiceFindings } from '../../lib/kubeadm/config/field-choices.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { GOLDEN_FACTS } from '../facts.ts'

/** A document with a value at a path; a list has it as its second item. */
function documentWith(path: readonly string[], value: string): JsonObject {
  const [key = '', ...rest] = path
  const inner =
    rest.length === 0 ? value : rest[0] === '*' ? [{}, documentWith(rest.slice(1), value)] : documentWith(rest, value)
  return { [key]: inner }
}

for (const { kinds, path, choices } of CHOICE_FIELDS) {
  for (const kind of kinds) {
    test(`choiceFindings() knows the values of ${kind} ${path}`, () => {
      for (const choice of choices) assert.deepEqual(choiceFindings(kind, documentWith(path.split('.'), choice)), [])
      assert.deepEqual(choiceFindings(kind, documentWith(path.split('.'), '')), [])
      for (const choice of choices) {
        const wrong = choice === choice.toLowerCase() ? choice.toUpperCase() : choice.toLowerCase()
        const [finding] = choiceFindings(kind, documentWith(path.split('.'), wrong))
        assert.equal(finding?.field, path.replace('*', '1'))
        assert.match(finding.reason, new RegExp(`use one of .*; did you mean ${choice}\\?$`))
      }
    })
  }
}

test('loadInitConfig() names the line of a value that nobody knows', () => {
  const text = [
    'apiVersion: kubeadm.k8s.io/v1beta3',
    'kind: InitConfiguration',
    'localAPIEndpoint: {advertiseAddress: 10.0.0.5}',
    'nodeRegistration:',
    '  taints:',
    '  - {key: a, effect: NoSchedule}',
    '  - {key: b, effect: Noschedule}',
    '---',
    'apiVersion: kubelet.config.k8s.io/v1beta1',
    'kind: KubeletConfiguration',
    'cgroupDriver: SystemD',
  ].join('\n')
  const { notices } = loadInitConfig({ text, file: 'f' }, GOLDEN_FACTS)
  const said = notices.join('\n')
  assert.match(said, /f:7: InitConfiguration nodeRegistration\.taints\S* "Noschedule": .*did you mean NoSchedule\?/)
  assert.match(said, /f:11: KubeletConfiguration cgroupDriver "SystemD": .*did you mean systemd\?/)
})
