import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveVersion } from '../../lib/supply/components/version-names.ts'

const PUBLISHED: Readonly<Record<string, string>> = {
  'release/stable.txt': 'v1.36.2\n',
  'release/stable-1.txt': 'v1.36.2',
  'release/stable-1.36.txt': 'v1.36.2',
  'release/latest.txt': 'v1.37.0-rc.0',
  'release/latest-1.37.txt': 'v1.37.0-rc.0',
  'ci/latest.txt': 'v1.38.0-alpha.0.12+0123456789abcd',
  'ci/latest-1.37.txt': 'v1.37.1-1+0123456789abcd',
  'ci/k8s-master.txt': 'v1.38.0-alpha.0.12+0123456789abcd',
  'release/stable-1.35.txt': 'v1.34.1',
  'release/stable-1.34.txt': '<html>log in</html>',
  'release/stable-1.33.txt': '1.33.0',
}

async function resolve(name: string | undefined): Promise<{ version: string; asked: readonly string[] }> {
  const asked: string[] = []
  const version = await resolveVersion(name, async path => {
    asked.push(path)
    const text = PUBLISHED[path]
    if (text === undefined) throw new Error(`404 ${path}`)
    return text
  })
  return { version, asked }
}

const COMPLETE: readonly (readonly [name: string | undefined, version: string])[] = [
  [undefined, 'v1.36.2'],
  ['', 'v1.36.2'],
  ['v1.36.2', 'v1.36.2'],
  ['1.36.2', 'v1.36.2'],
  ['release/v1.36.2', 'v1.36.2'],
  ['v1.18.0', 'v1.18.0'],
  ['1.37.0-rc.1', 'v1.37.0-rc.1'],
  ['v1.37.0-alpha.3', 'v1.37.0-alpha.3'],
  ['ci/v1.37.0-alpha.1.5+0123abc', 'ci/v1.37.0-alpha.1.5+0123abc'],
]

for (const [name, version] of COMPLETE) {
  test(`resolveVersion() takes ${name ?? 'no name'} without asking anybody`, async () => {
    assert.deepEqual(await resolve(name), { version, asked: [] })
  })
}

const LABELS: readonly (readonly [name: string, version: string, asked: string])[] = [
  ['1.36', 'v1.36.2', 'release/stable-1.36.txt'],
  ['v1.36', 'v1.36.2', 'release/stable-1.36.txt'],
  ['stable', 'v1.36.2', 'release/stable.txt'],
  ['release/stable', 'v1.36.2', 'release/stable.txt'],
  ['stable-1', 'v1.36.2', 'release/stable-1.txt'],
  ['stable-1.36', 'v1.36.2', 'release/stable-1.36.txt'],
  ['latest', 'v1.37.0-rc.0', 'release/latest.txt'],
  ['latest-1.37', 'v1.37.0-rc.0', 'release/latest-1.37.txt'],
  ['ci/latest', 'ci/v1.38.0-alpha.0.12+0123456789abcd', 'ci/latest.txt'],
  ['ci/1.37', 'ci/v1.37.1-1+0123456789abcd', 'ci/latest-1.37.txt'],
  ['ci/k8s-master', 'ci/v1.38.0-alpha.0.12+0123456789abcd', 'ci/k8s-master.txt'],
]

for (const [name, version, asked] of LABELS) {
  test(`resolveVersion() looks up ${name}`, async () => {
    assert.deepEqual(await resolve(name), { version, asked: [asked] })
  })
}

const REFUSED: readonly (readonly [name: string, message: RegExp])[] = [
  ['newest', /version: cannot use "newest": it is not a version; write it like v1\.36\.2, 1\.36, stable or latest$/],
  ['1', /it is not a version/],
  ['1.36.x', /it is not a version/],
  ['../stable', /it is not a version/],
  ['stable-1.36/../x', /it is not a version/],
  ['ci/../x', /it is not a version/],
  ['v1.36.2\n', /it is not a version/],
  ['1.34', /the answer for release\/stable-1\.34\.txt is not a version but "<html>/],
  ['1.33', /is not a version but "1\.33\.0"/],
  ['1.35', /names v1\.34\.1, of another minor/],
  ['1.99', /404 release\/stable-1\.99\.txt/],
]

for (const [name, message] of REFUSED) {
  test(`resolveVersion() refuses ${JSON.stringify(name)}`, async () => {
    await assert.rejects(resolve(name), message)
  })
}
