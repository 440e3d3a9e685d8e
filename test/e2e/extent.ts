/**
 * How much is tried. `npm test` has an hour on two processors for everything, so that it takes some rows of long tables
 * (KUBESTEP_E2E=some); `npm run e2e` takes all.
 */

/** Whether everything is tried. */
export const ALL: boolean = process.env.KUBESTEP_E2E !== 'some'

/** How often a cluster comes and goes where that is repeated. */
export const ROUNDS: number = Number(process.env.KUBESTEP_E2E_ROUNDS ?? (ALL ? 3 : 2))

/** All rows, or so many of them, spread from the first to the last. */
export function someOf<Row>(rows: readonly Row[], count: number, all: boolean = ALL): readonly Row[] {
  if (all || count >= rows.length) return rows
  const step = (rows.length - 1) / Math.max(count - 1, 1)
  return Array.from({ length: count }, (_, index) => rows[Math.round(index * step)] as Row)
}
