/** A machine that is prepared before its cluster, and the ways in which kube-proxy can run on it. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LAYOUT } from '../../lib/base/paths.ts'
import { isSince, parseVersion } from '../../lib/base/version.ts'
import { liveHost } from '../../lib/machine/host/host-source.ts'
import { readKernel } from '../../lib/machine/host/kernel-features.ts'
import { readSysctl, writeSysctl } from '../../lib/machine/host/sysctl.ts'
import { kernelLacks, PROXY_MODES } from '../../lib/machine/network/proxy-mode.ts'
import { failed, init, leavesNothing, succeeded } from './attempt.ts'
import { bundle, run } from './programs.ts'
import type { Target } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

const FORWARD = 'net.ipv4.ip_forward'

leavesNothing('what prepare did outlives a failed init and a cluster that is up, and goes with reset', async target => {
  const before = readSysctl(FORWARD) ?? ''
  writeSysctl(FORWARD, '0')
  try {
    const file = '/etc/sysctl.d/99-kubestep.conf'
    const shown = await run(bundle('prepare', 'sysctls', '--check'))
    assert.equal(shown.status, 1)
    assert.match(shown.stdout, /^sysctl net\.ipv4\.ip_forward: 0 -> 1$/m)
    assert.equal(existsSync(file), false)
    succeeded(await run(bundle('prepare', 'sysctls')))
    assert.equal(readSysctl(FORWARD), '1')
    failed(await run(init(withProxy(target, 'mode: no-such-mode'))), /"no-such-mode": there is no such mode/)
    failed(await run(init(target, '--timeout', '1s')), /in time|deadline|timeout|within/i)
    succeeded(await run(init(target)))
    failed(await run(bundle('prepare', '--undo')), /^prepare: cannot undo: kubestep set up more on this machine/)
    assert.ok(existsSync(file))
    succeeded(await run(bundle('reset')))
    assert.equal(existsSync(file) || existsSync(LAYOUT.prepared), false)
    assert.equal(readSysctl(FORWARD), '0')
  } finally {
    writeSysctl(FORWARD, before)
  }
})

/**
 * iptables is what every other test runs with. userspace, gone with 1.26, raises its limit of open files, and that
 * takes CAP_SYS_RESOURCE: there is not always one.
 */
const ELSEWHERE: readonly string[] = ['iptables', 'userspace']

for (const mode of PROXY_MODES.filter(({ name }) => !ELSEWHERE.includes(name))) {
  leavesNothing(`kube-proxy in mode ${mode.name} serves, or is refused before anything is changed`, async target => {
    const version = parseVersion(target.version) ?? assert.fail(target.version)
    const isGone = mode.until !== undefined && isSince(version, mode.until)
    const isThere = mode.since === undefined || isSince(version, mode.gate?.defaultSince ?? mode.since)
    const works = !isGone && isThere && kernelLacks(mode, {}, readKernel(liveHost())).length === 0
    const ended = await run(init(withProxy(target, `mode: ${mode.name}`)))
    if (works) {
      succeeded(ended)
      assert.match(ended.stdout, /^\[ready\] kube-proxy after /m)
      const tables = (await run(['nft', 'list', 'tables'])).stdout
      assert.equal(/^table ip kube-proxy$/m.test(tables), mode.name === 'nftables')
    } else {
      failed(ended, new RegExp(`cannot run kube-proxy in mode "${mode.name}"`))
      assert.equal(existsSync(LAYOUT.journal), false)
    }
  })
}

/** The same cluster with fields of a KubeProxyConfiguration. */
function withProxy({ args, ...target }: Target, fields: string): Target {
  const [flag = '', config = '', ...others] = args
  const file = join(temporaryFolder(), 'kubeadm.yaml')
  const document = `---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${fields}\n`
  writeFileSync(file, readFileSync(config, 'utf8') + document)
  return { ...target, args: [flag, file, ...others] }
}
