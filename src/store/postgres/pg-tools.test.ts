import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countDumped, findPgTools } from './pg-tools.ts'

describe('the programs of Postgres', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carrel-tools-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Programs that only know their version. */
  function install(name: string, version: string): string {
    const bin = join(folder, name)
    mkdirSync(bin)
    for (const program of ['pg_dump', 'pg_restore', 'psql']) {
      writeFileSync(join(bin, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`)
      chmodSync(join(bin, program), 0o755)
    }
    return bin
  }

  it('takes the first new enough programs on the PATH, then the newest of the system', async () => {
    const [old, fits, newest] = [install('a', '15.2'), install('b', '17.1 (Debian)'), install('c', '18beta1')]
    const path = (...folders: string[]) => ({ PATH: [...folders, '/bin', '/usr/bin'].join(':') })
    expect(await findPgTools(16, path(old, fits, newest), [])).toMatchObject({ major: 17, dump: join(fits, 'pg_dump') })
    expect(await findPgTools(18, path(old), [join(folder, '*')])).toMatchObject({ major: 18 })
  })

  it('missing or too old programs are reported, with the next step', async () => {
    expect(await findPgTools(18, { PATH: folder }, [])).toMatchObject({
      text: expect.stringContaining('were not found'),
      next: expect.stringContaining('postgresql-client-18'),
    })
    const old = install('a', '15.2')
    expect(await findPgTools(18, { PATH: `${old}:/bin` }, [])).toMatchObject({
      text: 'pg_dump of version 15 cannot copy from a Postgres server of version 18.',
      next: expect.stringContaining('CARREL_UPGRADE_COPY=made'),
    })
  })
})

describe('rows of a dump', () => {
  const DUMP = `--\nSET x = 1;\nCOPY public.events (id, data) FROM stdin;
1\tCOPY public.fake (a) FROM stdin;
2\ta\u2028b\\nc
3\t\\\\.
\\.

COPY public."order" (id) FROM stdin;
\\.
SELECT pg_catalog.setval('public.events_id_seq', 3, true);
`
  async function* inPieces(size: number): AsyncGenerator<Buffer> {
    const bytes = Buffer.from(DUMP)
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  it.each([1, 2, 3, 7, 64, 10_000])('are counted whatever the pieces (%i bytes)', async (size) => {
    expect(await countDumped(inPieces(size))).toEqual({ events: 3, order: 0 })
  })
})
