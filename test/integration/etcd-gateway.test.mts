/** Real etcds, asked through their JSON gateway: members come and go, and what is wrong has a name. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EtcdCredentials, EtcdError, type EtcdFault, openEtcd, reachEtcd } from '../../lib/cluster/etcd/gateway.ts'
import { deadVoters, healthOf, keepsQuorum } from '../../lib/cluster/etcd/member-health.ts'
import {
  addLearner,
  listMembers,
  moveLeader,
  promoteMember,
  removeMember,
  statusOf,
} from '../../lib/cluster/etcd/members.ts'
import { snapshotOf } from '../../lib/cluster/etcd/snapshot.ts'
import { etcdFiles, missingEtcd, planEtcd, startEtcd, textOf } from '../real-etcd.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubestep snapshot '))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Tries until etcd no longer refuses for this reason; any other fault is thrown. */
async function persist<T>(reasons: readonly EtcdFault[], work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof EtcdError && reasons.includes(error.fault)) || tries > 300) throw error
      await sleep(100)
    }
  }
}

function fails(fault: EtcdFault): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof EtcdError, String(error))
    assert.equal(error.fault, fault, error.message)
    assert.match(error.message, /^etcd: cannot /)
    return true
  }
}

describe('etcd through its gateway', { skip: missingEtcd }, () => {
  it('takes a learner in, gives it a vote, and lets it go', async () => {
    const files = await etcdFiles('ECDSA-P256')
    const credentials: EtcdCredentials = {
      ca: textOf(files, 'etcd/ca.crt'),
      certificate: textOf(files, 'etcd/healthcheck-client.crt'),
      key: textOf(files, 'etcd/healthcheck-client.key'),
    }
    const first = await startEtcd(files)
    const [dead, here] = ['https://127.0.0.1:1', `https://127.0.0.1:${first.port}`]
    const etcd = await reachEtcd([dead, here], credentials)
    assert.equal(etcd.endpoint, here, 'the one that answers')
    await assert.rejects(reachEtcd([dead, 'https://127.0.0.1:2'], credentials), fails('unreachable'))
    const stranger = { ...credentials, ca: textOf(await etcdFiles('ECDSA-P256'), 'etcd/ca.crt') }
    await assert.rejects(openEtcd(here, stranger).ask('maintenance/status'), fails('unreachable'))

    const [alone, ...none] = await listMembers(etcd)
    assert.deepEqual(none, [])
    assert.deepEqual(alone && { ...alone, id: '' }, {
      id: '',
      name: 'n1',
      peerUrls: [first.peerUrl],
      clientUrls: [here],
      isLearner: false,
    })
    const status = await statusOf(etcd)
    assert.equal(status.leader, alone?.id)
    assert.equal(status.id, alone?.id)
    assert.match(status.version, /^3\./)
    assert.equal(keepsQuorum(await healthOf(await listMembers(etcd), credentials), status.id), false, 'the last one')

    const plan = await planEtcd()
    const learner = await addLearner(etcd, plan.peerUrl)
    assert.deepEqual(
      { ...learner, id: '' },
      { id: '', name: '', peerUrls: [plan.peerUrl], clientUrls: [], isLearner: true },
    )
    await assert.rejects(addLearner(etcd, plan.peerUrl), fails('member-exists'))
    await assert.rejects(addLearner(etcd, (await planEtcd()).peerUrl), fails('too-many-learners'))
    await assert.rejects(promoteMember(etcd, learner.id), fails('not-in-sync'))
    const second = await startEtcd(files, { name: 'n2', plan, others: first.cluster })
    await persist(['not-in-sync', 'unhealthy'], () => promoteMember(etcd, learner.id))
    await assert.rejects(promoteMember(etcd, learner.id), fails('not-a-learner'))
    const two = await listMembers(etcd)
    assert.deepEqual(two.map(({ name, isLearner }) => [name, isLearner]).sort(), [
      ['n1', false],
      ['n2', false],
    ])
    const health = await healthOf(two, credentials)
    assert.deepEqual(deadVoters(health), [])
    assert.equal(keepsQuorum(health, learner.id), true)

    await moveLeader(etcd, learner.id)
    assert.equal((await statusOf(etcd)).leader, learner.id)
    // etcd wants to have seen a member for five seconds before it lets one go that votes.
    await persist(['unhealthy', 'no-leader', 'unreachable'], () => removeMember(etcd, learner.id))
    await persist(['no-leader', 'unreachable'], () => removeMember(etcd, learner.id))
    assert.equal((await listMembers(etcd)).length, 1)

    const gone = await planEtcd()
    await persist(['unhealthy', 'no-leader', 'unreachable'], () => addLearner(etcd, gone.peerUrl))
    const [silent] = (await healthOf(await listMembers(etcd), credentials)).filter(({ fault }) => fault !== undefined)
    assert.equal(silent?.member.peerUrls[0], gone.peerUrl)
    assert.match(String(silent?.fault), /not started/)
    second.child.kill('SIGKILL')
    etcd.close()
  })

  it('gives a snapshot that etcd takes', async () => {
    const files = await etcdFiles('ECDSA-P256')
    const { port } = await startEtcd(files)
    const etcd = openEtcd(`https://127.0.0.1:${port}`, {
      ca: textOf(files, 'etcd/ca.crt'),
      certificate: textOf(files, 'etcd/healthcheck-client.crt'),
      key: textOf(files, 'etcd/healthcheck-client.key'),
    })
    const value = Buffer.alloc(100_000, 7).toString('base64')
    for (let key = 0; key < 20; key++)
      await etcd.ask('kv/put', { key: Buffer.from(`k${key}`).toString('base64'), value })
    const pieces: Buffer[] = []
    for await (const piece of snapshotOf(etcd)) pieces.push(piece)
    const whole = Buffer.concat(pieces)
    assert.ok(whole.length > 2_000_000, `${whole.length} bytes`)
    // bbolt's files are whole pages; the digest comes after them.
    assert.equal(whole.length % 512, 32)
    const file = join(folder, 'snapshot.db')
    writeFileSync(file, whole)
    const tool = spawnSync('etcdutl', ['snapshot', 'status', file, '-w', 'json'], { encoding: 'utf8' })
    if (tool.error === undefined) assert.equal(tool.status, 0, tool.stderr)
    etcd.close()
  })
})
