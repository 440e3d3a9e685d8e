/** The one budget of time of a run. */
import { Reason } from './errors.ts'

/**
 * What a promise gives, unless the deadline comes first. Throws a Reason that begins with `what` when it does; what was
 * begun goes on, and its result is dropped.
 */
export async function within<T>(deadline: AbortSignal, what: string, promise: Promise<T>): Promise<T> {
  const fail = (): Reason => new Reason(`${what}: the time is up; give more with --timeout`)
  if (deadline.aborted) throw fail()
  let stop = (): void => {}
  const expired = new Promise<never>((_resolve, reject) => {
    stop = () => reject(fail())
    deadline.addEventListener('abort', stop, { once: true })
  })
  promise.catch(() => {})
  try {
    return await Promise.race([promise, expired])
  } finally {
    deadline.removeEventListener('abort', stop)
  }
}
