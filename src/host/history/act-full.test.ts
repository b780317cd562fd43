import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const CHILD = join(import.meta.dirname, '../../../test/support/act-full-child.ts')
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
/** A small disk takes a namespace to mount it in, which not every system gives to everybody. */
const NAMESPACES = spawnSync('unshare', ['-r', '-m', 'true'], { env: { PATH } }).status === 0

it.skipIf(!NAMESPACES)(
  'F3: on a full disk nothing is written and it is said so; with room it is done (needs mount namespaces)',
  {
    timeout: 60_000,
  },
  () => {
    const top = mkdtempSync(join(tmpdir(), 'carrel-full-'))
    try {
      const args = ['-r', '-m', process.execPath, CHILD, top]
      const said = JSON.parse(execFileSync('unshare', args, { env: { PATH }, encoding: 'utf8' }))
      expect(said).toMatchObject({ code: 'unavailable', isSame: true, a: 'small', large: 700_000 + 'file 644 '.length })
      expect(said.message).toMatch(/is full.*Nothing was written/)
    } finally {
      rmSync(top, { recursive: true, force: true })
    }
  },
)
