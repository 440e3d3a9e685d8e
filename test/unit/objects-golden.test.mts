import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clusterObjectsYaml } from '../../lib/kubeadm/objects/cluster-object.ts'
import { clusterObjects } from '../../lib/kubeadm/objects/cluster-objects.ts'
import { GOLDEN_FACTS, goldenCases, goldenInputs, goldenObjects } from './objects-cases.mts'

describe('clusterObjectsYaml() is what kubeadm would put into the cluster', () => {
  for (const golden of goldenCases()) {
    it(golden.name, () => {
      const objects = clusterObjects(golden.config, GOLDEN_FACTS, goldenInputs(golden))
      // kubeadm's dry run does not show the binding of the admins.
      const shown = objects.filter(({ phase }) => phase !== 'wait-control-plane')
      // Nor does it show a patch where it shows an imagined Node.
      const yaml = clusterObjectsYaml(shown).replace(/^# \{.*\}\n/gm, '')
      assert.equal(yaml, goldenObjects(golden))
    })
  }
})
