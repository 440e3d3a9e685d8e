/** The races as a picture: one bar per contestant and milestone. */
import type { ClusterRow } from './cluster-race.ts'

const BAR = 14
const GAP = 4
const LABEL = 190
const WIDTH = 820
const COLOURS: readonly string[] = ['#326ce5', '#7aa5f0', '#b0b0b0']

/** An SVG of medians, grouped by milestone, in seconds. */
export function picture(rows: readonly ClusterRow[]): string {
  const milestones = Object.keys(rows[0]?.medians ?? {})
  const longest = Math.max(1, ...rows.flatMap(({ medians }) => Object.values(medians)))
  const group = rows.length * BAR + GAP * 3
  const top = 30
  const height = top + milestones.length * group + 10
  const scale = (WIDTH - LABEL - 80) / longest
  const bars = milestones.flatMap((milestone, index) => {
    const y = top + index * group
    return [
      `<text x="${LABEL - 8}" y="${y + (rows.length * BAR) / 2 + 4}" text-anchor="end">${milestone}</text>`,
      ...rows.map(({ medians }, row) => {
        const value = medians[milestone] ?? 0
        const width = (value * scale).toFixed(1)
        const barY = y + row * BAR
        return `<rect x="${LABEL}" y="${barY}" width="${width}" height="${BAR - 2}" fill="${COLOURS[row % COLOURS.length]}"/><text x="${(LABEL + Number(width) + 5).toFixed(1)}" y="${barY + 10}" font-size="10">${(value / 1000).toFixed(1)} s</text>`
      }),
    ]
  })
  const legend = rows.map(
    ({ name }, row) =>
      `<rect x="${LABEL + row * 200}" y="8" width="12" height="12" fill="${COLOURS[row % COLOURS.length]}"/><text x="${LABEL + row * 200 + 17}" y="18">${name}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">\n<title>Seconds from the start to each milestone, medians</title>\n<rect width="100%" height="100%" fill="white"/>\n${[...legend, ...bars].join('\n')}\n</svg>\n`
}
