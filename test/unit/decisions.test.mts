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
    places: ['lib/phases/init/', 'lib/phases/nodes/node-plan.ts', 'lib/cluster/ready/gate-context.ts'],
  },
  {
    what: 'where a cluster, its node and kubestep have their files',
    text: /['"`](?:--[\w-]+=)?\/(?:etc\/kubernetes|var\/lib\/kubelet|var\/lib\/etcd|var\/lib\/kubestep|var\/log\/(?:kubestep|pods|containers)|run\/kubestep|run\/netns|(?:etc|opt|var\/lib)\/cni)\b/,
    // The table; and a sentence about a flag.
    places: ['lib/base/paths.ts', 'lib/cli/kubeadm-commands.ts'],
  },
  {
    what: 'the release that is taken when none is named',
    text: /(?:default:|DEFAULT\w*(?:: string)? =) '?v?1\.\d+/,
    places: ['lib/base/defaults.ts'],
  },
  {
    what: 'which Pod networks there are',
    text: /'bridge', 'none'/,
    places: ['lib/base/defaults.ts'],
  },
  {
    what: 'how long certificates are valid, and which addresses Pods get, when nobody says so',
    text: /= '(?:87600?h|10\.244\.)|default: '10\.244\./,
    places: ['lib/base/defaults.ts'],
  },
  {
    what: 'which runtime is taken',
    text: /\?\? 'auto'|=== 'auto'/,
    // The options of load and logs speak of the runtime of a cluster that is there.
    places: [
      'lib/supply/runtime/runtime-choice.ts',
      'lib/phases/run/cluster-runtime.ts',
      'lib/cluster/diagnose/machine-context.ts',
    ],
  },
  {
    what: 'which CRI version a release needs',
    text: /minor (?:<|>=) 2[36]\b.*v1|'v1alpha2'\)/,
    places: ['lib/supply/runtime/runtime-choice.ts'],
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
