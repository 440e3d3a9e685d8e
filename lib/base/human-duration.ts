/** How long something takes, roughly, for people: `9m29s`, `364d`. */

/** Whole seconds in at most two units. Source: k8s.io/apimachinery util/duration HumanDuration (v1.36). */
export function humanDuration(seconds: number): string {
  const [minutes, hours, days] = [60, 3600, 86_400].map(unit => Math.floor(seconds / unit)) as [number, number, number]
  const years = Math.floor(days / 365)
  if (seconds < -1) return '<invalid>'
  if (seconds < 120) return `${Math.max(0, seconds)}s`
  if (minutes < 10) return `${minutes}m${some(seconds % 60, 's')}`
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return `${hours}h${some(minutes % 60, 'm')}`
  if (hours < 48) return `${hours}h`
  if (days < 8) return `${days}d${some(hours % 24, 'h')}`
  if (years < 2) return `${days}d`
  return years < 8 ? `${years}y${some(days % 365, 'd')}` : `${years}y`
}

function some(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`
}
