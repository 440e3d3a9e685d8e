/** Where the time of one init went, from its own marks: each step as a bar from what it waits for to its end. */

/** Milliseconds since the start, by what was reached. */
export type Marks = Readonly<Record<string, number>>

/** A step: what it waits for ('' for the start), the mark that ends it, and whether what comes last waits for it. */
const STEPS: readonly (readonly [label: string, after: readonly string[], until: string, isCritical: boolean])[] = [
  ['the machine is looked at', [], 'checked', true],
  ['container runtime', ['checked'], 'runtime', true],
  ['images of etcd and pause', ['runtime'], 'first images', true],
  ['kubelet started', ['runtime'], 'kubelet started', true],
  ['all images', ['runtime'], 'all images', false],
  ['static Pods, until the API server answers', ['first images', 'kubelet started'], 'API answers', true],
  ['API server ready, objects applied', ['API answers'], 'objects applied', true],
  ['node Ready', ['API answers'], 'node', false],
  ['controller manager, scheduler', ['API answers'], 'control-plane', true],
  ['a Pod has run', ['API answers'], 'pod', false],
  ['kube-proxy', ['control-plane', 'objects applied'], 'kube-proxy', true],
  ['CoreDNS answers', ['control-plane', 'objects applied'], 'dns', true],
]

const BAR = 20
const LABEL = 270
const WIDTH = 820

/** An SVG. */
export function pathPicture(marks: Marks): string {
  const rows = STEPS.flatMap(([label, after, until, isCritical]) => {
    const end = marks[until]
    if (end === undefined) return []
    const start = Math.max(0, ...after.map(mark => marks[mark] ?? 0))
    return [{ label, start: Math.min(start, end), end, isCritical }]
  })
  const longest = Math.max(1, ...rows.map(({ end }) => end))
  const scale = (WIDTH - LABEL - 60) / longest
  const lines = rows.flatMap(({ label, start, end, isCritical }, index) => {
    const y = 8 + index * BAR
    const [x, width] = [LABEL + start * scale, Math.max(1, (end - start) * scale)]
    const colour = isCritical ? '#326ce5' : '#b7cdf5'
    return [
      `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${label}</text>`,
      `<rect x="${x.toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="${BAR - 6}" fill="${colour}"/>`,
      `<text x="${(x + width + 5).toFixed(1)}" y="${y + 14}">${(end / 1000).toFixed(1)} s</text>`,
    ]
  })
  const height = rows.length * BAR + 16
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">\n<title>Where the time of an init goes; dark: what the end waits for</title>\n<rect width="100%" height="100%" fill="white"/>\n${lines.join('\n')}\n</svg>\n`
}
