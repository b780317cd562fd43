import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { containmentOf, type Wall } from './walls.ts'

const run = promisify(execFile)
const NOBODY = 65_534
const env = { PATH: process.env.PATH ?? '' }
const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', '--']
const top = realpathSync(mkdtempSync('/var/tmp/carrel-nobody-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** Returns why the test cannot run here; null when it can. */
async function obstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'bubblewrap is part of Linux'
  if (process.getuid?.() !== 0) return 'everything else is tried without rights here'
  const [program = '', ...words] = containmentOf({ walls: [], sealed: '', root: false, relay: null }).wrap
  return await run('setpriv', [...asNobody, program, ...words, 'true'], { env }).then(
    () => null,
    (failure: Error) => `nobody may not use bubblewrap here: ${failure.message}`,
  )
}

const why = await obstacle()

it.skipIf(why !== null)(
  `without rights the walls are the same, and a sandbox inside has a /proc of its own${why ? ` (not tried: ${why})` : ''}`,
  { timeout: 60_000 },
  async () => {
    chmodSync(top, 0o755)
    for (const folder of ['mine', 'secret', 'tmp', 'beside']) mkdirSync(join(top, folder))
    for (const file of ['secret/key', 'login', 'sealed']) writeFileSync(join(top, file), 'SECRET')
    chmodSync(join(top, 'sealed'), 0)
    for (const name of ['mine', 'secret', 'secret/key', 'tmp', 'beside', 'login', 'sealed'])
      chownSync(join(top, name), NOBODY, NOBODY)
    const walls: Wall[] = [
      { path: '/tmp', may: 'write', from: join(top, 'tmp') },
      { path: join(top, 'mine'), may: 'write' },
      { path: join(top, 'secret'), may: 'nothing', is: 'folder' },
      { path: join(top, 'login'), may: 'nothing', is: 'file' },
    ]
    const { wrap } = containmentOf({ walls, sealed: join(top, 'sealed'), root: false, relay: null })
    const nested = 'bwrap --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc --bind $PWD $PWD'
    const script = `echo x > file; echo x > /tmp/file; ${nested} sh -c 'echo nested > nested'
      for one in 'echo x > ../beside/x' 'cat ../secret/key' 'ls ../secret' 'cat ../login' 'umount ../secret' 'unshare -Urm umount ../secret' 'kill -9 ${process.pid}'
      do if sh -c "$one"; then echo DONE "$one"; fi; done; echo end`
    const words = [...asNobody, ...wrap, 'sh', '-c', script]
    const { stdout } = await run('setpriv', words, { env, cwd: join(top, 'mine') })
    expect(stdout).toBe('end\n')
    expect(readFileSync(join(top, 'mine/nested'), 'utf8')).toBe('nested\n')
    expect(readFileSync(join(top, 'tmp/file'), 'utf8')).toBe('x\n')
  },
)
