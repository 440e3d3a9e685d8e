/** The races as a picture: a bar for each contestant, grouped by road, its colours the milestones on the way. */
import type { ClusterRow } from './cluster-race.ts'

/** What is drawn, the last first, so that the earlier ones lie on top. */
const DRAWN: readonly (readonly [milestone: string, colour: string])[] = [
  ['CoreDNS answers', '#b7cdf5'],
  ['first Pod running', '#7aa5f0'],
  ['API ready', '#326ce5'],
]

const ROADS: readonly (readonly [road: ClusterRow['road'], title: string])[] = [
  ['limit', 'the least that is possible'],
  ['in place', 'images in the runtime already'],
  ['first', 'from archives, the first time'],
  ['again', 'from archives, again'],
  ['mirror', 'from a mirror at 100 MB/s'],
]

const BAR = 20
const LABEL = 210
const WIDTH = 820
const TOP = 36

/** An SVG of medians in seconds. */
export function picture(rows: readonly ClusterRow[]): string {
  const longest = Math.max(1, ...rows.flatMap(({ medians }) => DRAWN.map(([milestone]) => medians[milestone] ?? 0)))
  const scale = (WIDTH - LABEL - 60) / longest
  const lines: string[] = []
  let y = TOP
  for (const [road, title] of ROADS) {
    const group = rows.filter(row => row.road === road)
    if (group.length === 0) continue
    lines.push(text(8, y + 14, title, 'font-weight="bold"'))
    y += BAR
    for (const row of group) {
      lines.push(text(LABEL - 8, y + 14, row.name, 'text-anchor="end"'), ...bars(row, y, scale))
      y += BAR
    }
    y += 8
  }
  const legend = [...DRAWN].reverse().map(([milestone, colour], index) => {
    const x = LABEL + index * 170
    return `<rect x="${x}" y="10" width="12" height="12" fill="${colour}"/>${text(x + 17, 20, milestone)}`
  })
  const content = [...legend, ...lines].join('\n')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 4}" font-family="sans-serif" font-size="12">\n<title>Seconds from the start to each milestone, medians</title>\n<rect width="100%" height="100%" fill="white"/>\n${content}\n</svg>\n`
}

function bars({ medians }: ClusterRow, y: number, scale: number): string[] {
  const reached = DRAWN.filter(([milestone]) => medians[milestone] !== undefined)
  const end = Math.max(...reached.map(([milestone]) => medians[milestone] ?? 0))
  return [
    ...reached.map(([milestone, colour]) => {
      const width = ((medians[milestone] ?? 0) * scale).toFixed(1)
      return `<rect x="${LABEL}" y="${y + 3}" width="${width}" height="${BAR - 6}" fill="${colour}"/>`
    }),
    text(Math.round(LABEL + end * scale + 5), y + 14, `${(end / 1000).toFixed(1)} s`),
  ]
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x}" y="${y}"${more === '' ? '' : ` ${more}`}>${content}</text>`
}
