import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { ConfigError, type Fault } from '../../lib/base/errors.ts'
import { validateConfig } from '../../lib/kubeadm/config/config-file.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

interface Expected {
  readonly case: string
  readonly rc: number
  readonly stderr?: string
  readonly error?: string
}

/** Where we differ from kubeadm on purpose. */
const EXCEPTIONS: Readonly<Record<string, { readonly rc: number; readonly because: string }>> = {
  'token-expires-only': { rc: 0, because: 'expires works alone: the default for ttl does not get in its way (14.3)' },
  'version-old': { rc: 0, because: 'we deploy 1.18 to 1.36, kubeadm two minors' },
  'version-patch-missing': { rc: 0, because: 'init takes a minor for its newest patch release, in files too' },
  v1beta2: { rc: 0, because: 'v1beta2 is read as well' },
  'empty-file': { rc: 1, because: 'a file without any configuration is a mistake (14.7)' },
  'kubelet-only': { rc: 1, because: 'a file without any configuration of kubeadm is a mistake (14.7)' },
}

const FACTS: HostFacts = {
  hostname: 'host',
  directories: [],
  proxyEnvironment: [],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.9' },
  loopbackAddress: {},
}

for (const folder of ['../golden/v1.36.2/validate/', '../data/validate/']) {
  describe(`config validate: ${folder}`, () => {
    const base = new URL(folder, import.meta.url)
    const cases = JSON.parse(readFileSync(new URL('expected.json', base), 'utf8')) as readonly Expected[]
    for (const expected of cases) {
      const exception = EXCEPTIONS[expected.case]
      const rc = exception?.rc ?? expected.rc
      test(`${expected.case}: ${rc === 0 ? 'ok' : 'refused'}${exception ? `, as ${exception.because}` : ''}`, () => {
        const text = readFileSync(new URL(`${expected.case}.yaml`, base), 'utf8')
        const faults = faultsOf(text)
        assert.equal(faults.length > 0 ? 1 : 0, rc, JSON.stringify(faults))
        if (rc === 1 && exception === undefined) checkFields(expected.error ?? expected.stderr ?? '', faults)
      })
    }
  })
}

function faultsOf(text: string): readonly Fault[] {
  try {
    validateConfig({ text, file: 'f.yaml', detectCriSocket: false, guessNames: true, exists: existsSync }, FACTS)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.doesNotMatch(error.message, /(?<![\w.])[0-9a-z]{6}\.[0-9a-z]{16}(?![\w.])/)
    return error.faults
  }
}

/** Every field that kubeadm names, we name. */
function checkFields(error: string, faults: readonly Fault[]): void {
  const ours = faults.map(fault => plain(fault.field))
  for (const field of fieldsIn(error)) {
    assert.ok(
      ours.some(name => name === field || name.endsWith(`.${field}`) || name.startsWith(`${field}.`)),
      `kubeadm names ${field}, we ${ours.join(', ')}`,
    )
  }
  for (const fault of faults) {
    assert.equal(fault.file, 'f.yaml')
    assert.ok(fault.line !== undefined && fault.line > 0, `no line for ${fault.field}`)
    assert.match(fault.reason, /^[^A-Z]/)
  }
}

/** Sentences of kubeadm that mean a field without naming it. */
const SENTENCES: readonly (readonly [sentence: RegExp, field: string])[] = [
  [/hostport /, 'controlPlaneEndpoint'],
  [/apiserver-advertise-address|from lo network interface/, 'localAPIEndpoint.advertiseAddress'],
  [
    /doesn't match patterns|couldn't parse Kubernetes version|invalid version|control plane version >=/,
    'kubernetesVersion',
  ],
  [/the bootstrap token "[^"]*" was not of the form/, 'token'],
  [/is specified twice/, 'kind'],
]

function fieldsIn(error: string): readonly string[] {
  const matches = [
    ...error.matchAll(/([A-Za-z][\w.]*): (?:Invalid|Required) value/g),
    ...error.matchAll(/unknown field "([^"]+)"/g),
    ...error.matchAll(/Go struct field \w+\.(\S+) of type/g),
    ...error.matchAll(/key "([^"]+)" already set/g),
  ]
  // apiVersion and kind in another case are fields that are missing.
  const named = matches.map(match => plain(match[1] ?? '')).filter(name => !['apiversion', 'Kind'].includes(name))
  return [...named, ...SENTENCES.filter(([sentence]) => sentence.test(error)).map(([, field]) => field)]
}

// Without places in lists, keys of maps, and the names of embedded Go structs.
function plain(field: string): string {
  return field
    .replaceAll(/\[[^\]]*\]/g, '')
    .split('.')
    .filter(part => !/^(?:\d+|[A-Z]\w*)$/.test(part) || part === 'MaxPods' || part === 'PodSubnet')
    .join('.')
}
