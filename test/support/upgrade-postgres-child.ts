import { join } from 'node:path'
import { openPostgres } from '../../src/store/postgres/postgres.ts'

/**
 * A process that upgrades the tables on a server, and stops for good before one of the steps, for the test to kill
 * it.
 */
const [url = '', folder = '', stop = ''] = process.argv.slice(2)
const upgrade = {
  copies: join(folder, 'upgrades'),
  copy: 'make',
  carrel: 'test',
  holder: null,
  env: { PATH: process.env.PATH },
} as const

await openPostgres({
  url,
  upgrade,
  now: () => 1,
  say(what) {
    if (!what.startsWith(`upgrade step ${stop}`)) return
    // Sent directly: a queued message would not leave the process any more.
    process.send?.(what, () => undefined)
    const stopped = new Int32Array(new SharedArrayBuffer(4))
    setImmediate(() => Atomics.wait(stopped, 0, 0))
  },
})
