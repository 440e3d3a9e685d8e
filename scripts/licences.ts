/** The licences of what bundles contain of others: dist/ is all that a user gets of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KubestepError } from '../lib/base/errors.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name?: string }
}

/** Files of a package that say under which terms it may be given on; some list what they contain themselves. */
const TEXTS = /^(?:licen[cs]e|copying|notice|3rd-party|third-?party)/i

/** The folders of the packages that these modules are of. */
function packageFolders(modules: readonly string[]): string[] {
  const folders = modules.flatMap(id => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? [])
  return [...new Set(folders)]
}

/** The texts of a package: in its own folder, and in those that modules come from. */
function textsOf(folder: string, modules: readonly string[]): string[] {
  const inside = modules.filter(id => id.startsWith(`${folder}/`)).map(id => dirname(id))
  const texts = [...new Set([folder, ...inside])].flatMap(place =>
    readdirSync(place, { withFileTypes: true })
      .filter(entry => entry.isFile() && TEXTS.test(entry.name))
      .map(({ name }) => readFileSync(join(place, name), 'utf8').replaceAll('\r\n', '\n').trim()),
  )
  return [...new Set(texts)]
}

/** One text for all; `modules` are paths of what was bundled. Throws a KubestepError for a package that says nothing. */
export function licenceText(modules: readonly string[]): string {
  const packages = packageFolders(modules).map(folder => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    return { ...manifest, texts: textsOf(folder, modules) }
  })
  const silent = packages.filter(({ license, texts }) => license === undefined || texts.length === 0)
  if (silent.length > 0) {
    const names = silent.map(({ name }) => name).join(', ')
    throw new KubestepError(`build: cannot bundle ${names}: the package has no licence; leave it out`)
  }
  const sections = packages
    .map(({ name, version, license, texts }) => [`${name} ${version} (${license})`, ...texts].join('\n\n'))
    .sort()
  const line = '-'.repeat(80)
  const heading = 'Made by scripts/build.mts: the packages that the files beside this one contain, and their licences.'
  return `${[heading, ...new Set(sections)].join(`\n\n${line}\n\n`)}\n`
}
