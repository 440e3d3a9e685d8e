/** Standard output and error when whoever reads them goes away, or the disk that they go to is full. */
import { explain } from '../machine/files.ts'

/**
 * From here on nothing that happens to the streams ends the process halfway: a script that changes the machine comes
 * to its end, and then its status is 1 if something that it said was lost. A reader that went away (`| head`) has
 * seen what it wanted: that is no failure. `what` is the script, for the one line about it.
 */
export function guardStreams(what: string): void {
  let isTold = false
  const onError = (name: string) => (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.exitCode = process.exitCode || 1
    if (isTold) return
    isTold = true
    write('stderr', `${what}: cannot write to standard ${name}: ${explain(error)}\n`)
  }
  process.stdout.on('error', onError('output'))
  process.stderr.on('error', onError('error'))
}

/** Writes to one of them; never throws: Deno does where others speak of it later. */
export function write(stream: 'stdout' | 'stderr', text: string): void {
  try {
    process[stream].write(text)
  } catch (error) {
    process[stream].emit('error', error as Error)
  }
}
