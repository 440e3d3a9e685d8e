/** Whether a server is there at all. */
import { connect } from 'node:net'
import { hostOfUrl } from '../../base/address.ts'

/** How long a machine that is there may take to answer. */
const KNOCK_MS = 2_000

/** Whether something listens there, whatever it would say to us. Never throws. */
export function listens(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return Promise.resolve(false)
  const { port } = new URL(url)
  return new Promise(resolve => {
    const socket = connect({ host: hostOfUrl(url), port: Number(port), timeout: KNOCK_MS })
    const say = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', say(true)).once('error', say(false)).once('timeout', say(false))
  })
}
