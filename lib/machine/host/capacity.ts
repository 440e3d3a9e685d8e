/** How much of everything this machine gives a process. Pure parsing of /proc. */

/** Processors that may be used, from /proc/self/status: as Go's NumCPU it goes by the affinity mask, not by a quota. */
export function processorCount(status: string): number | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]
  if (list === undefined) return undefined
  return list
    .split(',')
    .map(range => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}

/** Main memory in bytes, from /proc/meminfo. */
export function memoryBytes(meminfo: string): number | undefined {
  const kib = /^MemTotal:\s*(\d+) kB$/m.exec(meminfo)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}

/** How many files a process may have open at most, from /proc/self/limits; Infinity for unlimited. */
export function openFilesLimit(limits: string): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1]
  if (hard === undefined) return undefined
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
}
