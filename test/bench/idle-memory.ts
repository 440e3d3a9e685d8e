/** What an idle node of this machine takes of memory, by its control group. */
import { existsSync, readFileSync } from 'node:fs'
import { cgroupRootOf } from '../../lib/machine/local-node/local-groups.ts'
import type { LocalNode } from '../../lib/machine/local-node/local-node.ts'
import type { Reached } from './contestants.ts'

const ROOT = '/sys/fs/cgroup'
const MB = 1024 * 1024

/** Means of all nodes: what is nobody's file, and all of it, page cache and the kernel's own included. */
export function idleMemory(nodes: readonly LocalNode[]): Reached {
  const each = nodes.map(({ name }) => memoryOf(cgroupRootOf(name)))
  const mean = (of: (one: (typeof each)[number]) => number): number =>
    Math.round(each.reduce((sum, one) => sum + of(one), 0) / each.length / MB)
  return { 'anonymous MB': mean(one => one.anonymous), 'whole MB': mean(one => one.whole) }
}

// A group counts those below it: in cgroup v1 under names that begin with total_. Source: the kernel's memcg_test, cgroup-v2.
function memoryOf(group: string): { readonly anonymous: number; readonly whole: number } {
  const isUnified = existsSync(`${ROOT}/cgroup.controllers`)
  const folder = isUnified ? `${ROOT}${group}` : `${ROOT}/memory${group}`
  const field = isUnified ? 'anon' : 'total_rss'
  const stat = readFileSync(`${folder}/memory.stat`, 'utf8')
  const whole = readFileSync(`${folder}/memory.${isUnified ? 'current' : 'usage_in_bytes'}`, 'utf8')
  return { anonymous: Number(new RegExp(`^${field} (\\d+)`, 'm').exec(stat)?.[1]), whole: Number(whole) }
}
