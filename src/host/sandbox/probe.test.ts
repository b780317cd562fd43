import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createSandboxes } from './probe.ts'

function pathWith(bwrap: string | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-probe-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  if (bwrap !== null) {
    writeFileSync(join(folder, 'bwrap'), bwrap)
    chmodSync(join(folder, 'bwrap'), 0o755)
  }
  return folder
}

it('F8: an unable machine gives the reason and the next step, for each kind', async () => {
  const missing = createSandboxes(pathWith(null), 'linux')
  await expect(missing.need('guard')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/sandbox guard.*program bwrap was not found.*apt install bubblewrap.*set.* to off/),
  })
  const broken = createSandboxes(
    pathWith('#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n'),
    'linux',
  )
  await expect(broken.need('strict')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/sandbox strict.*installed and fails: bwrap: No permissions.*userns/),
  })
  await expect(createSandboxes(process.env.PATH ?? '', 'darwin').need('guard')).rejects.toThrow(
    /Linux only; this machine runs darwin/,
  )
})

it('a failed probe is repeated, a successful one is not', async () => {
  const path = pathWith(null)
  const sandboxes = createSandboxes(path, 'linux')
  expect(await sandboxes.obstacle('guard')).not.toBeNull()
  const bwrap = join(path, 'bwrap')
  writeFileSync(bwrap, '#!/bin/sh\ncase "$*" in *--unshare-net*) exit 1;; esac\n')
  chmodSync(bwrap, 0o755)
  expect(await sandboxes.obstacle('guard')).toBeNull()
  expect(await sandboxes.obstacle('strict')).not.toBeNull()
  rmSync(bwrap)
  expect(await sandboxes.obstacle('guard')).toBeNull()
})
