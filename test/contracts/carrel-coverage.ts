import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import type { PlanRequest } from '../../src/model/files/history.ts'
import type { TestSession } from '../support/carrel-session.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { act, freely } from './carrel-files.ts'

const placed = ({ workspace, project }: TestSession) => ({ workspace, project })
const undoOf = (run: string): PlanRequest => ({ kind: 'undo', of: { kind: 'run', run: run as never } })
const planOf = (session: TestSession, request: PlanRequest) =>
  session.carrel.call('plans.make', { ...placed(session), request })
const noticesOf = async (session: TestSession) =>
  (await session.eventsOf('notice.given')).map(({ data }) => data.text).filter((text) => text.startsWith('During'))

/** Which paths the history covers may change at any time; its past never does. */
export function describeCoverage(open: OpenCarrel, near: Case): void {
  describe('coverage', () => {
    near(
      'F9: a run that excludes a file and overwrites it: its change is listed, and the old content is never lost',
      async () => {
        const session = await freely(await (await open()).session())
        writeFileSync(session.path('main.ts'), 'user v1\n')
        const { run } = await session.run([{ run: 'echo main.ts > .gitignore; echo clobbered > main.ts' }])
        expect((await session.item('files')).files).toEqual([
          { path: '.gitignore', change: 'created' },
          { path: 'main.ts', change: 'modified' },
        ])
        expect(await noticesOf(session)).toEqual([expect.stringMatching(/stopped tracking files, .*: main\.ts\.$/)])
        const { entries } = await planOf(session, undoOf(run))
        expect(entries.map(({ path, conflicts }) => [path, conflicts])).toEqual([
          ['.gitignore', []],
          ['main.ts', [{ kind: 'gap', why: 'ignored' }]],
        ])
        await expect(act(session, undoOf(run))).rejects.toMatchObject({ code: 'conflict' })
        await act(session, undoOf(run), { leave: ['main.ts'] })
        await session.run([{ run: 'echo more >> main.ts' }])
        const file = await session.carrel.call('history.file', { ...placed(session), path: 'main.ts', at: 1 })
        expect(file).toMatchObject({ content: 'user v1\n' })
        await act(session, { kind: 'restore', to: 1 })
        expect(readFileSync(session.path('main.ts'), 'utf8')).toBe('user v1\n')
      },
    )

    near(
      'F5: a file that a run brings under the history is in its changes and a notice, and no undo claims its past',
      async () => {
        const session = await freely(await (await open()).session())
        const { workspace, space } = session
        const rules = { maxFileBytes: 64 }
        await session.carrel.call('fileRules.set', { workspace, id: space.id, rules })
        writeFileSync(session.path('.gitignore'), 'notes.md\n')
        writeFileSync(session.path('notes.md'), 'mine\n')
        writeFileSync(session.path('data.bin'), 'x'.repeat(65))
        const { run } = await session.run([{ run: 'truncate -s 10 data.bin; rm .gitignore' }])
        expect((await session.item('files')).files).toEqual([
          { path: '.gitignore', change: 'deleted' },
          { path: 'data.bin', change: 'modified' },
        ])
        expect(await noticesOf(session)).toEqual([
          expect.stringMatching(/began to track files, .* earlier content: data\.bin, notes\.md\.$/),
        ])
        const { changes } = await session.carrel.call('history.changes', { ...placed(session), run })
        expect(changes[1]).toMatchObject({
          path: 'data.bin',
          before: { uncovered: true, size: 65 },
          after: { size: 10 },
        })
        const { entries, gaps } = await planOf(session, undoOf(run))
        expect(entries).toMatchObject([
          { path: '.gitignore', conflicts: [] },
          { path: 'data.bin', conflicts: [{ kind: 'gap', why: 'the history did not cover its earlier content' }] },
        ])
        expect(gaps.map(({ path }) => path)).toEqual(['notes.md'])
        await act(session, undoOf(run), { leave: ['data.bin'] })
        expect(readFileSync(session.path('notes.md'), 'utf8')).toBe('mine\n')
      },
    )

    near('F2: an undo removes the only copy of something only when its path is named', async () => {
      const session = await freely(await (await open()).session())
      writeFileSync(session.path('.gitignore'), 'build\n')
      mkdirSync(session.path('build'))
      writeFileSync(session.path('build/out'), 'hours of work\n')
      await session.run([{ run: 'true' }])
      const { run } = await session.run([{ run: 'mv build kept; echo new > own.txt' }])
      const { entries } = await planOf(session, undoOf(run))
      expect(entries.map(({ path, how, conflicts }) => [path, how, conflicts])).toEqual([
        ['kept', 'delete', []],
        ['kept/out', 'delete', [{ kind: 'only_copy' }]],
        ['own.txt', 'delete', []],
      ])
      await expect(act(session, undoOf(run))).rejects.toMatchObject({ code: 'conflict' })
      expect(await act(session, undoOf(run), { leave: ['kept/out'] })).toMatchObject({ written: ['own.txt'] })
      expect(readFileSync(session.path('kept/out'), 'utf8')).toBe('hours of work\n')
      await act(session, undoOf(run), { overwrite: ['kept/out'] })
    })
  })
}
