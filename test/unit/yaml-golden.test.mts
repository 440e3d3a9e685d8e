import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { parse, stringify } from '../../lib/base/yaml.ts'

const golden = new URL('../golden/', import.meta.url)

/** What kubeadm writes through its YAML library; instance-config.yaml is made from a template with quotes of its own. */
const WRITTEN = /(manifests|kubelet)\/[^/]+\.yaml$|\/kubeconfig\/[^/]+$|\.conf$|cluster-objects\.yaml$/
const TEMPLATES = /instance-config\.yaml$|\/config\.yaml$(?<!kubelet\/config\.yaml)/

function filesBelow(folder: URL): readonly URL[] {
  return readdirSync(folder).flatMap(name => {
    const entry = new URL(name, folder)
    return statSync(entry).isDirectory() ? filesBelow(new URL(`${name}/`, folder)) : [entry]
  })
}

/** Documents without the comments that our golden files put above them; Node patches among them are JSON. */
function documentsOf(text: string): readonly string[] {
  return text
    .split(/^---\n/m)
    .map(document => `${document.replace(/^#.*\n/gm, '').trimEnd()}\n`)
    .filter(document => document !== '\n' && !document.startsWith('{'))
}

const files = filesBelow(golden).filter(({ pathname }) => WRITTEN.test(pathname) && !TEMPLATES.test(pathname))

for (const file of files) {
  test(`stringify() gives back ${file.pathname.slice(golden.pathname.length)}`, () => {
    const text = readFileSync(file, 'utf8')
    if (file.pathname.endsWith('cluster-objects.yaml')) {
      for (const document of documentsOf(text)) {
        assert.equal(stringify(parse(document)), document)
      }
    } else {
      assert.equal(stringify(parse(text)), text)
    }
  })
}
