import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { kubeletFiles } from '../../lib/kubelet/files.ts'
import { GOLDEN_FACTS, goldenCases, textOf } from './objects-cases.mts'

describe('kubeletFiles() writes what kubeadm writes', () => {
  for (const { name, folder, config } of goldenCases()) {
    it(name, () => {
      const { files } = kubeletFiles(config, GOLDEN_FACTS)
      const ours = Object.fromEntries(files.map(file => [file.path.split('/').at(-1) ?? '', String(file.content)]))
      const expected = readdirSync(new URL('kubelet/', folder)).sort()
      assert.deepEqual(Object.keys(ours).sort(), expected)
      for (const file of expected) assert.equal(ours[file], textOf(folder, `kubelet/${file}`), file)
    })
  }
})
