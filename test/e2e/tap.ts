/** Results of test files that ran elsewhere, as their runner prints them. Source: TAP 14, and Node's reporter of it. */

export interface Result {
  readonly name: string
  readonly passed: boolean
  /** Why it did not run. */
  readonly skipped?: string
  /** What is said of it: how long it took, what it has to tell, where and why it failed. */
  readonly details: string
}

const RESULT = /^(not )?ok \d+ - (.*?)( # SKIP ?(.*))?$/
/** Lines that say nothing to people, and the sums at the end. */
const IDLE =
  /^\s*(# Subtest: .*|---|\.\.\.|\d+\.\.\d+|type: .*|# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+)$/

/** The outermost tests, in order. */
export function readTap(text: string): Result[] {
  return text.split(/^(?=# Subtest: )/m).flatMap(block => {
    const lines = block.split('\n')
    const [, failed, name, skipped, reason = ''] =
      lines.map(line => RESULT.exec(line)).find(found => found !== null) ?? []
    if (name === undefined) return []
    return {
      name: plain(name),
      passed: failed === undefined,
      ...(skipped !== undefined && { skipped: plain(reason) }),
      details: lines
        .filter(line => !RESULT.test(line) && !IDLE.test(line))
        .join('\n')
        .trim(),
    }
  })
}

function plain(text: string): string {
  return text.replace(/\\([\\#])/g, '$1')
}
