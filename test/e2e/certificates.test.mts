/** A cluster that lives on: its certificates end and are renewed, its users come, its etcd is lost and comes back. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { LAYOUT } from '../../lib/base/paths.ts'
import { STATIC_PODS } from '../../lib/cluster/diagnose/diagnosis-context.ts'
import { KUBELET } from '../../lib/machine/service/kubelet-service.ts'
import { serviceManager } from '../../lib/machine/service/manager.ts'
import { openCri } from '../../lib/supply/cri/cri-client.ts'
import { endContainer, podContainers } from '../../lib/supply/cri/pod-containers.ts'
import { init, newest, succeeded, unfit } from './attempt.ts'
import { changesSince, readMachineState } from './machine-state.ts'
import { bundle, type Ended, run, until } from './programs.ts'
import { ownAddress, type Target, TEST_IMAGE, withPeriod } from './targets.ts'
import { temporaryFolder } from './temporary.ts'

const PKI = '/etc/kubernetes/pki'
const ADMIN = '/etc/kubernetes/admin.conf'

if (newest === undefined) test('a cluster that lives on', { skip: unfit }, () => {})
else livesOn(newest)

function livesOn(target: Target): void {
  const { version, artifacts } = target
  const folder = temporaryFolder()
  const before = readMachineState()
  let up = false
  const named = (what: string): string => `Kubernetes ${version}, certificates of ten minutes: ${what}`
  const inCluster = (what: string, body: (skip: (why: string) => void) => Promise<void>): void => {
    test(named(what), async t => {
      if (up) await body(why => t.skip(why))
      else t.skip('there is no cluster')
    })
  }
  const kubectlAs = (kubeconfig: string, ...args: readonly string[]): Promise<Ended> =>
    run([target.kubectl, '--kubeconfig', kubeconfig, ...args])
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const ended = await kubectlAs(ADMIN, ...args)
    succeeded(ended)
    return ended.stdout
  }
  const deploy = async (name: string): Promise<void> => {
    await kubectl('create', 'deployment', name, '--image', TEST_IMAGE)
    await isPlaced(name)
  }
  const isPlaced = (name: string): Promise<boolean> =>
    until(`a Pod of ${name} has its node`, async () => {
      const path = 'jsonpath={.items[*].spec.nodeName}'
      return (await kubectl('get', 'pods', '-l', `app=${name}`, '-o', path)) !== ''
    })
  const isHealthy = (): Promise<boolean> =>
    until('the node is Ready', async () => {
      const path = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'
      return (await kubectl('get', 'nodes', '-o', path)) === 'True'
    })

  test(named('init'), async () => {
    const ended = await run(init(withPeriod(target, '10m')))
    if (ended.status !== 0) await run(bundle('reset'))
    succeeded(ended)
    up = true
  })

  inCluster('check-expiration says of it what kubeadm says', async skip => {
    const kubeadm = join(artifacts, 'bin/kubeadm')
    const args = ['certs', 'check-expiration', '-o', 'json']
    const ours = await run(bundle(...(args as [string, ...string[]])))
    succeeded(ours)
    assert.equal(ours.stderr, '')
    if (!existsSync(kubeadm)) return skip('there is no kubeadm of this version')
    const theirs = await run([kubeadm, ...args])
    const rows = ({ stdout }: Ended): unknown =>
      JSON.parse(stdout, (key, value) => (key === 'residualTime' ? undefined : value))
    assert.deepEqual(rows(ours), rows(theirs))
  })

  inCluster('renewed under it: all verify, and only what has to is started again', async () => {
    await until('all four are told of', async () => Object.keys(await restarts()).length === STATIC_PODS.length)
    const started = await restarts()
    const renewed = await run(bundle('certs', 'renew', 'all'))
    succeeded(renewed)
    assert.match(renewed.stdout, /Starting kube-controller-manager, kube-scheduler again/)
    for (const [leaf, ca] of [
      ['apiserver', 'ca'],
      ['etcd/server', 'etcd/ca'],
      ['front-proxy-client', 'front-proxy-ca'],
    ]) {
      succeeded(await run(['openssl', 'verify', '-CAfile', join(PKI, `${ca}.crt`), join(PKI, `${leaf}.crt`)]))
    }
    const wanted = serialOf(readFileSync(join(PKI, 'apiserver.crt')))
    await until('the API server serves the new certificate', async () => (await servedSerial()) === wanted)
    const changed = async (): Promise<string[]> => {
      const now = await restarts()
      return Object.keys(now).filter(name => now[name] !== started[name])
    }
    // The kubelet tells the API of it when they run again.
    await until('both are counted as started again', async () => (await changed()).length > 1)
    assert.deepEqual((await changed()).sort(), ['kube-controller-manager', 'kube-scheduler'])
    await deploy('later')
  })

  inCluster('all of them have ended, the kubelet’s too, and nothing runs: renew brings it back', async () => {
    const short = join(folder, 'short.yaml')
    writeFileSync(
      short,
      `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: ${version}\ncertificateValidityPeriod: 1s\n`,
    )
    const name = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')
    const kubelet = join(folder, 'kubelet.conf')
    const who = ['--client-name', `system:node:${name}`, '--org', 'system:nodes']
    succeeded(await run(bundle('kubeconfig', 'user', ...who, '--validity-period', '1s', '--out', kubelet)))
    copyFileSync(kubelet, '/etc/kubernetes/kubelet.conf')
    succeeded(await run(bundle('certs', 'renew', 'all', '--skip-restart', '--config', short)))
    await sleep(2000)
    await stopAll()
    await serviceManager().restart(KUBELET)
    const told = await run(bundle('certs', 'check-expiration'))
    succeeded(told)
    assert.match(told.stderr, /the kubelet cannot use its client certificate ".*": it expired on/)
    assert.equal(told.stdout.match(/<invalid>|0s/g)?.length, version === 'v1.20.2' ? 10 : 11)

    const renewed = await run(bundle('certs', 'renew', 'all'))
    succeeded(renewed)
    assert.match(renewed.stdout, /Starting the kubelet, kube-apiserver, kube-controller-manager, kube-scheduler again/)
    await isHealthy()
    await deploy('revived')
    assert.equal((await run(bundle('certs', 'check-expiration'))).stderr, '')
  })

  inCluster('a further user may do what is given to it, and nobody else reads its file', async () => {
    const file = join(folder, 'joe.conf')
    const user = bundle('kubeconfig', 'user', '--client-name', 'joe', '--org', 'dev', '--out', file)
    succeeded(await run(user))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.match((await kubectlAs(file, 'get', 'pods')).stderr, /User "joe" cannot list/)
    await kubectl('create', 'clusterrolebinding', 'dev', '--clusterrole', 'view', '--group', 'dev')
    await until('the group has its rights', async () => (await kubectlAs(file, 'get', 'pods')).status === 0)
    assert.match((await run(user)).stderr, /it exists already/)
  })

  inCluster('etcd is lost, and comes back from a snapshot; what is no snapshot changes nothing', async skip => {
    const file = join(folder, 'etcd.db')
    succeeded(await run(bundle('etcd', 'snapshot', 'save', file)))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const cut = join(folder, 'cut.db')
    writeFileSync(cut, readFileSync(file).subarray(0, -512))
    const refused = await run(bundle('etcd', 'snapshot', 'restore', cut))
    assert.match(refused.stderr, /it is no snapshot, or not a whole one/)
    await deploy('afterwards')

    await stopAll()
    rmSync('/var/lib/etcd/member', { recursive: true })
    const restored = await run(bundle('etcd', 'snapshot', 'restore', file))
    if (/there is no etcdutl/.test(restored.stderr)) return skip('the image of etcd has no etcdutl')
    succeeded(restored)
    await isHealthy()
    assert.equal(await kubectl('get', 'deployments', '-o', 'name'), 'deployment.apps/later\ndeployment.apps/revived\n')
    await deploy('restored')
  })

  test(named('reset leaves nothing'), async () => {
    succeeded(await run(bundle('reset')))
    assert.deepEqual(await changesSince(before), [])
  })

  /** How often each static Pod of the control plane has been started again. */
  async function restarts(): Promise<Readonly<Record<string, string>>> {
    const path = '{range .items[*]}{.metadata.labels.component}={.status.containerStatuses[0].restartCount} {end}'
    const found = await kubectl(
      'get',
      'pods',
      '-n',
      'kube-system',
      '-l',
      'tier=control-plane',
      '-o',
      `jsonpath=${path}`,
    )
    const pairs = found.split(' ').map(pair => pair.split('='))
    return Object.fromEntries(pairs.filter(([, count]) => count))
  }
}

/** The control plane of this machine, as if it were switched off. */
async function stopAll(): Promise<void> {
  await serviceManager().stop(KUBELET)
  const cri = await openCri(LAYOUT.containerd.url)
  try {
    const running = (await podContainers(cri)).filter(one => one.state === 'running')
    const ours = running.filter(one => STATIC_PODS.some(name => name === one.name))
    await Promise.all(ours.map(one => endContainer(cri, one.id)))
  } finally {
    cri.close()
  }
}

function serialOf(certificate: Buffer): string {
  return new X509Certificate(certificate).serialNumber
}

function servedSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ownAddress(), port: 6443, rejectUnauthorized: false }, () => {
      resolve(serialOf(socket.getPeerCertificate().raw))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
