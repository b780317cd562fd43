import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { freely } from '../contracts/carrel-files.ts'
import { seenIn } from '../support/act-world.ts'
import { openWorld } from '../support/carrel-world.ts'

const FILES = {
  '.gitignore': 'build/\n*.log\n',
  'src/a.txt': 'one\ntwo\n',
  'src/deep/b.txt': 'b\n',
  'gone.txt': 'gone\n',
  'tree/x/y.txt': 'y\n',
  'move.txt': 'move\n',
  'folder/in.txt': 'in\n',
  'folder/sub/in.txt': 'in sub\n',
  'run.sh': '#!/bin/sh\n',
  secret: 's',
  'ro.txt': 'ro\n',
  'was-file': 'f',
  'was-folder/k': 'k',
  'grows.txt': 'small\n',
  'build/made.js': 'made',
  'build/old.js': 'old',
  'one.log': 'log',
  'gone.log': 'log',
  'odd name\nof two': 'odd',
}
const COVERED = [
  "sed -i 's/one/ONE/' src/a.txt",
  'rm gone.txt; rm -r tree; rmdir empty',
  'mv move.txt moved.txt; mv src/deep/b.txt src/deep/c.txt; mv odd* "plain name"',
  'mv folder elsewhere; mkdir elsewhere/hollow; mv hollow elsewhere/sub/hollow',
  'chmod +x run.sh; chmod 700 src/deep; chmod 644 secret',
  'ln -s src/a.txt link; ln -sfn nowhere pointer; ln ro.txt hard.txt; echo more >> ro.txt',
  'rm was-file; mkdir was-file; echo n > was-file/n; rm -r was-folder; echo f > was-folder',
  // Same size and old time.
  'touch -r secret stamp; printf S > secret; touch -r stamp secret; rm stamp',
]
const NOT_COVERED = [
  'mkfifo pipe; truncate -s 40M large.bin; truncate -s 40M grows.txt',
  'echo new > build/new.js; echo changed > build/made.js; rm build/old.js gone.log; echo more >> one.log',
]

it('F2, F5: an undo reverts the work of a shell, or its plan lists the rest', async () => {
  const session = await freely(await (await openWorld()).session())
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(session.path(path)), { recursive: true })
    writeFileSync(session.path(path), text)
  }
  // Enough files for scans to go by hints during the run.
  for (let one = 0; one < 201; one += 1) writeFileSync(session.path(`src/more-${one}`), '')
  for (const empty of ['empty', 'hollow']) mkdirSync(session.path(empty), { mode: 0o750 })
  symlinkSync('src', session.path('pointer'))
  chmodSync(session.path('secret'), 0o600)
  chmodSync(session.path('ro.txt'), 0o444)
  const before = seenIn(session.folder)
  const { run, outcome } = await session.run([COVERED, NOT_COVERED].map((lines) => ({ run: lines.join(' && ') })))
  expect(outcome).toBe('completed')
  const at = { workspace: session.workspace, project: session.project }
  const request: PlanRequest = { kind: 'undo', of: { kind: 'run', run: run as never } }
  const { digest, entries, gaps } = await session.carrel.call('plans.make', { ...at, request })
  // To bring its old content back would destroy content that nobody keeps.
  expect(entries.flatMap(({ path, conflicts }) => (conflicts.length > 0 ? [{ path, conflicts }] : []))).toEqual([
    { path: 'grows.txt', conflicts: [{ kind: 'gap', why: 'too_large' }] },
  ])
  await session.carrel.call('plans.apply', { ...at, request, digest, leave: ['grows.txt'] })
  const after = seenIn(session.folder)
  const differ = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (path) => before[path] !== after[path],
  )
  const built = ['build/made.js', 'build/new.js', 'build/old.js']
  expect(differ.sort()).toEqual([...built, 'gone.log', 'grows.txt', 'large.bin', 'one.log', 'pipe'])
  expect(gaps.map(({ path, why }) => `${path} ${why}`)).toEqual([
    'build ignored',
    'grows.txt too_large',
    'large.bin too_large',
    'one.log ignored',
    'pipe special',
    // No list of the folder has a file that is gone: the plan takes it from the run, which reports it too.
    'gone.log ignored',
  ])
  const notices = (await session.eventsOf('notice.given')).map(({ data }) => data.text)
  expect(notices).toEqual([
    expect.stringMatching(/an undo cannot restore them: gone\.log\.$/),
    expect.stringMatching(/an undo cannot restore their later content: grows\.txt\.$/),
  ])
})
