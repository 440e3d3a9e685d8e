/** What runs, drawn at the bottom of a terminal as long as it does. */
import type { Spinner } from 'yocto-spinner'
import yoctoSpinner from 'yocto-spinner'

/** Between two pictures of the seconds that go by. */
const TICK_MS = 500

export interface Live {
  /** Draws what runs; '' draws nothing any more. Lines that are written meanwhile stand above it. */
  readonly show: (text: string) => void
}

/** The cursor comes back however the process ends, unless it is killed. */
export function openLive(stream: NodeJS.WriteStream = process.stdout): Live {
  // Signals are the script's: it says what to do next.
  const spinner: Spinner = yoctoSpinner({ stream, handleSignals: false })
  let shown = ''
  let since = 0
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
    spinner.stop()
  }
  const draw = (): void => {
    const seconds = ` ${Math.round((performance.now() - since) / 1000)} s`
    const room = (stream.columns || 80) - seconds.length - 4
    spinner.text = `${shown.length > room ? `${shown.slice(0, room - 1)}…` : shown}${seconds}`
  }
  process.once('exit', stop)
  return {
    show: text => {
      shown = text
      if (text === '') return stop()
      if (timer === undefined) {
        since = performance.now()
        timer = setInterval(draw, TICK_MS)
        draw()
        spinner.start()
      } else draw()
    },
  }
}
