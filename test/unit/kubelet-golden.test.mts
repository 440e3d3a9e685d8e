import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { kubeletFiles } from '../../lib/kubeadm/kubelet/kubelet-files.ts'
import { GOLDEN_FACTS, goldenCases, patchesOf, textOf } from './objects-cases.mts'

describe('kubeletFiles() writes what kubeadm writes', () => {
  for (const golden of goldenCases()) {
    const { name, folder, config } = golden
    it(name, () => {
      const { files } = kubeletFiles(config, GOLDEN_FACTS, patchesOf(golden))
      const ours = Object.fromEntries(files.map(file => [file.path.split('/').at(-1) ?? '', String(file.content)]))
      const expected = readdirSync(new URL('kubelet/', folder)).sort()
      assert.deepEqual(Object.keys(ours).sort(), expected)
      for (const file of expected) assert.equal(ours[file], textOf(folder, `kubelet/${file}`), file)
    })
  }
})
