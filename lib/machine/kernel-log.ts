/** What the kernel's log (dmesg) says of processes that it killed. */

/** What is older has nothing to do with a program that has just ended. */
const RECENT_S = 60

/** A process's name is cut to so many characters. Source: proc(5), comm. */
const NAME_LENGTH = 15

/**
 * The line that says that a program of that name was killed for lack of memory a moment ago; undefined when there is
 * none. `uptime` is in seconds, as the lines' own times.
 */
export function outOfMemoryLine(log: string, name: string, uptime: number): string | undefined {
  const killed = `(${name.slice(0, NAME_LENGTH)})`
  const line = log.split('\n').findLast(one => /Killed process \d+/.test(one) && one.includes(killed))
  const [, at, text] = /^(?:<\d+>)?\[\s*([\d.]+)\]\s*(.*)$/.exec(line ?? '') ?? []
  return at === undefined || uptime - Number(at) > RECENT_S ? undefined : text
}
