import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clusterObjectsYaml } from '../../lib/kubeadm/objects/cluster-object.ts'
import { renderSteps } from '../../lib/phases/run/render-steps.ts'
import { APPLYING, givenFor, goldenCases, goldenInputs, goldenObjects } from './objects-cases.mts'

describe('clusterObjectsYaml() is what kubeadm would put into the cluster', () => {
  for (const golden of goldenCases()) {
    it(golden.name, async () => {
      const given = givenFor(golden.config, goldenInputs(golden))
      const steps = APPLYING.map(phase => ({ phase }))
      const rendered = await renderSteps(steps, given, golden.config.init.skipPhases ?? [], () => {})
      const objects = rendered.flatMap(row => row.objects)
      // kubeadm's dry run does not show the binding of the admins.
      const shown = objects.filter(({ phase }) => phase !== 'wait-control-plane')
      // Nor does it show a patch where it shows an imagined Node.
      const yaml = clusterObjectsYaml(shown).replace(/^# \{.*\}\n/gm, '')
      assert.equal(yaml, goldenObjects(golden))
    })
  }
})
