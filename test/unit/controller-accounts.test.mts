import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllerAccounts } from '../../lib/phases/init/controller-accounts.ts'

test('controllerAccounts() takes the ServiceAccounts of kube-system, each once', () => {
  const account = (name: string, namespace = 'kube-system') => ({ kind: 'ServiceAccount', name, namespace })
  const items = [
    { subjects: [account('job-controller'), { kind: 'Group', name: 'system:masters' }] },
    { subjects: [account('cronjob-controller'), account('job-controller')] },
    { subjects: [account('other', 'default')] },
    {},
  ]
  assert.deepEqual(controllerAccounts({ items }), ['cronjob-controller', 'job-controller'])
  assert.deepEqual(controllerAccounts({}), [])
})
