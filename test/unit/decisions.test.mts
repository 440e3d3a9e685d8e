/** One place for one decision: what else would be written down again and again stands in one file of lib. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface Decision {
  readonly what: string
  readonly text: RegExp
  /** Files, and folders with a slash at the end. */
  readonly places: readonly string[]
}

const DECISIONS: readonly Decision[] = [
  {
    what: 'who an error is of: depths give a Reason, and init puts its name before it',
    text: /['`]init: /,
    // The gates and words of options of init alone.
    places: ['lib/phases/init/', 'lib/cluster/ready/gate-context.ts', 'lib/machine/network/pod-network.ts'],
  },
]

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const lines = (readdirSync(join(ROOT, 'lib'), { recursive: true }) as string[])
  .filter(name => name.endsWith('.ts'))
  .flatMap(name =>
    readFileSync(join(ROOT, 'lib', name), 'utf8')
      .split('\n')
      .map((line, index) => ({ file: `lib/${name}`, number: index + 1, line })),
  )
  // Comments may name what they like.
  .filter(({ line }) => !/^\s*(\/\/|\/?\*)/.test(line))

for (const { what, text, places } of DECISIONS) {
  test(`one place: ${what}`, () => {
    const elsewhere = lines
      .filter(({ file, line }) => text.test(line) && !places.some(place => file === place || file.startsWith(place)))
      .map(({ file, number, line }) => `${file}:${number}: ${line.trim()}`)
    assert.deepEqual(elsewhere, [])
  })
}
