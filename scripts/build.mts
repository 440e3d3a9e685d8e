#!/usr/bin/env -S npx zx
/** Bundles every script into dist/: one self-contained file each, that runs with node, deno and bun and nothing installed. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KubestepError } from '../lib/base/errors.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { actionTables } from './build/action-tables.ts'
import { actionMetadata } from './build/action-yml.ts'
import { fillTables, readmeTables } from './build/tables.ts'
import { licenceText } from './licences.ts'

/** Beside the bundles. */
const LICENCES = 'LICENSES.txt'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Scripts that work on the sources and so have no bundle. */
const SOURCE_ONLY: readonly string[] = ['build', 'bench', 'lock']

/** Lives on as a service, from its bundle. */
const AGENT = 'agent'

/**
 * Packages that a bundle's libraries name and that are never called there: they stay out. @actions/core has its HTTP
 * client for OIDC tokens, and that has undici (400 KB) for callers of fetch.
 */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  action: ['@actions/http-client', '@actions/http-client/lib/auth'],
  'action-post': ['@actions/http-client', '@actions/http-client/lib/auth'],
  'action-cache': ['undici'],
}

export const build: Script = script(
  import.meta,
  {
    name: 'build',
    about: 'Bundle every script into dist/, or check that dist/ is what the sources build.',
    options: ['check'],
    examples: ['build.mts', 'build.mts --check'],
  },
  async ({ flags, output }) => {
    const names = readdirSync(join(ROOT, 'scripts'))
      .filter(file => file.endsWith('.mts'))
      .map(file => basename(file, '.mts'))
      .filter(name => !SOURCE_ONLY.includes(name))
    const folder = flags.check ? mkdtempSync(join(tmpdir(), 'kubestep-build-')) : join(ROOT, 'dist')
    try {
      const modules: string[] = []
      modules.push(...(await bundle(AGENT, join(folder, `${AGENT}.mjs`), '')))
      // Bundles that start the agent carry it.
      const agent = readFileSync(join(folder, `${AGENT}.mjs`), 'utf8')
      for (const name of names.filter(name => name !== AGENT)) {
        modules.push(...(await bundle(name, join(folder, `${name}.mjs`), agent)))
      }
      writeFileSync(join(folder, LICENCES), licenceText([...new Set(modules)].sort()))
      if (flags.check) compare(folder, join(ROOT, 'dist'))
      else removeOthers(folder, names)
      await fillDocuments(flags.check ?? false)
      writeMetadata(flags.check ?? false)
    } finally {
      if (flags.check) rmSync(folder, { recursive: true })
    }
    output.say(`[build] ${flags.check ? 'dist/ is what the sources build' : `Wrote ${names.length} files to dist/`}`)
  },
)

/** The README and docs/*.md: what stands between their markers comes from the tables of the code. */
async function fillDocuments(check: boolean): Promise<void> {
  // Imported here: init is a script too, and must not take itself for the entry.
  const { init } = await import('./init.mts')
  const tables = { ...readmeTables(init.command.options), ...actionTables() }
  const stale: string[] = []
  const docs = readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md'))
  for (const name of ['README.md', ...docs.map(doc => `docs/${doc}`)]) {
    const file = join(ROOT, name)
    const text = readFileSync(file, 'utf8')
    const filled = fillTables(text, tables)
    if (filled === text) continue
    stale.push(name)
    if (!check) writeFileSync(file, filled)
  }
  if (!check || stale.length === 0) return
  throw new KubestepError(
    `build: cannot accept ${stale.join(', ')}: the tables are not those of the code; run npm run build`,
  )
}

function writeMetadata(check: boolean): void {
  const file = join(ROOT, 'action.yml')
  const text = actionMetadata()
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  if (check) {
    throw new KubestepError('build: cannot accept action.yml: it is not what the code says; run npm run build')
  }
  writeFileSync(file, text)
}

const NOTHING = '\0nothing'

/**
 * Node's own modules: a bundle asks for one where it is first used. An import would load each before the first line runs,
 * node:http with everything that it could ever need.
 */
const BUILT_IN = /^node:(?!module$)/
const ASKED = '\0asked:'

/** Modules inside of packages in whose place ours stand: what asks for it, and how it ends. */
const REPLACED: readonly (readonly [importer: RegExp, id: RegExp, ours: string])[] = [
  [/@actions\/cache\//, /\/internal\/tar\.js$/, 'lib/action/cache-archive.ts'],
  [/@actions\/cache\//, /^(?:@actions\/glob|semver)$/, 'lib/action/cache-paths.ts'],
]

/** Writes a bundle; gives the modules that are in it. */
async function bundle(name: string, file: string, agent: string): Promise<string[]> {
  const { rolldown } = await import('rolldown')
  const unused = UNUSED[name] ?? []
  const supervisor = JSON.stringify(readFileSync(join(ROOT, 'lib/machine/service/supervise.mjs'), 'utf8'))
  const bundled = await rolldown({
    input: join(ROOT, 'scripts', `${name}.mts`),
    platform: 'node',
    treeshake: true,
    transform: {
      define: { ENTRY: JSON.stringify(name), SUPERVISOR: supervisor, AGENT_TEXT: JSON.stringify(agent) },
      target: 'es2023',
    },
    resolve: {
      // zx's ESM files are wrappers that require the CommonJS ones at run time: that dies in a bundle under Deno.
      alias: {
        'zx/core': join(ROOT, 'node_modules/zx/build/core.cjs'),
        // Two thirds of what @actions/cache brings along; of it one upload is called.
        '@azure/storage-blob': join(ROOT, 'lib/action/blob-store.ts'),
      },
    },
    plugins: [
      {
        name: 'unused',
        resolveId: (id, importer = '') => {
          if (unused.includes(id)) return NOTHING
          if (BUILT_IN.test(id)) return importer.startsWith(ASKED) ? { id, external: true } : `${ASKED}${id}`
          const ours = REPLACED.find(([by, ending]) => by.test(importer) && ending.test(id))?.[2]
          return ours === undefined ? null : join(ROOT, ours)
        },
        load: id => {
          if (id === NOTHING) return 'export {}'
          return id.startsWith(ASKED) ? `module.exports = require(${JSON.stringify(id.slice(ASKED.length))})` : null
        },
      },
    ],
    shimMissingExports: unused.length > 0,
    onLog: (level, log, handle) => (log.code === 'SHIMMED_EXPORT' ? undefined : handle(level, log)),
  })
  const { output } = await bundled.generate({
    format: 'esm',
    minify: true,
    codeSplitting: false,
    comments: { legal: true },
  })
  await bundled.close()
  const [chunk, ...others] = output
  if (others.length > 0) throw new KubestepError(`build: cannot bundle "${name}": it fell into ${output.length} files`)
  const code = chunk.code.replace(/^#!.*\n/, '')
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/usr/bin/env node\n${code}`, { mode: 0o755 })
  const inside = Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0)
  return inside.map(([id]) => id)
}

function compare(fresh: string, committed: string): void {
  const stale = new Set(
    [...readdirSync(fresh), ...readdirSync(committed)].filter(
      file => !sameFile(join(fresh, file), join(committed, file)),
    ),
  )
  if (stale.size === 0) return
  throw new KubestepError(
    `build: cannot accept dist/: ${[...stale].sort().join(', ')} is not what the sources build; run npm run build`,
  )
}

function sameFile(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b))
  } catch {
    return false
  }
}

function removeOthers(folder: string, names: readonly string[]): void {
  for (const file of readdirSync(folder)) {
    if (file !== LICENCES && !names.includes(basename(file, '.mjs'))) rmSync(join(folder, file))
  }
}
