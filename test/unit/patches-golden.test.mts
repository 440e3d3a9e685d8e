import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { JsonObject } from '../../lib/base/json.ts'
import { parse, stringify } from '../../lib/base/yaml.ts'
import { applyPatches } from '../../lib/kubeadm/patches/apply-patches.ts'
import { type PatchFile, parsePatches } from '../../lib/kubeadm/patches/parse-patches.ts'
import type { PatchTarget } from '../../lib/kubeadm/patches/target.ts'

const data = new URL('../data/patches/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, data), 'utf8')

function patchFiles(name: string): PatchFile[] {
  const folder = `cases/${name}/patches/`
  return readdirSync(new URL(folder, data)).map(file => ({ name: file, content: read(folder + file) }))
}

describe('applyPatches() does what kubeadm v1.36.2 does', () => {
  for (const name of readdirSync(new URL('cases/', data))) {
    const files = readdirSync(new URL(`cases/${name}/`, data))
    const target = files.find(file => file.endsWith('.yaml'))?.replace('.yaml', '') as PatchTarget | undefined

    if (target !== undefined) {
      test(name, () => {
        const { patches, messages } = parsePatches(patchFiles(name), { directory: 'DIR' })
        const base = parse(read(`base/${target}.yaml`)) as JsonObject
        const before = stringify(base)
        const patched = applyPatches(patches, target, base)
        assert.equal(stringify(patched.object), read(`cases/${name}/${target}.yaml`))
        assert.equal(stringify(base), before)
        if (existsSync(new URL(`cases/${name}/messages.txt`, data))) {
          assert.equal([...messages, ...patched.messages, ''].join('\n'), read(`cases/${name}/messages.txt`))
        }
      })
    } else {
      test(`${name}: refused`, () => {
        const component = /kube-[a-z]+(?=[0-9+.])/.exec(patchFiles(name)[0]?.name ?? '')?.[0] as PatchTarget
        const base = parse(read(`base/${component}.yaml`)) as JsonObject
        assert.throws(() => applyPatches(parsePatches(patchFiles(name)).patches, component, base), {
          name: 'KubestepError',
          message: /^patches: cannot /,
        })
      })
    }
  }
})
