import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { appears, eventually, type TestSession } from '../support/carrel-session.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { expectWhole } from './carrel-runs.ts'

const TEN = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n'
const placed = ({ workspace, project }: TestSession) => ({ workspace, project })
const undoOf = (run: string): PlanRequest => ({ kind: 'undo', of: { kind: 'run', run: run as never } })

/** Makes a session whose agent asks nobody before it writes. */
export async function freely(session: TestSession): Promise<TestSession> {
  await session.carrel.call('sessions.configure', { workspace: session.workspace, id: session.id, mode: 'auto' })
  return session
}

/** Waits, at most some ms, until the clock that stamps files has moved on. */
function passTick(probe: string): void {
  const stamp = () => {
    writeFileSync(probe, '')
    return statSync(probe).ctimeMs
  }
  for (const before = stamp(); stamp() === before; );
}

/** Plans a request and applies the plan; `overwrite` and `leave` decide about conflicting paths. */
export async function act(
  session: TestSession,
  request: PlanRequest,
  named: { overwrite?: string[]; leave?: string[] } = {},
) {
  const { carrel } = session
  const { digest } = await carrel.call('plans.make', { ...placed(session), request })
  return await carrel.call('plans.apply', { ...placed(session), request, digest, ...named })
}

export function describeFiles(open: OpenCarrel, near: Case): void {
  describe('files', () => {
    near('a run’s changes are in its log and its row, each path once with its final state', async () => {
      const world = await open()
      const session = await freely(await world.session())
      writeFileSync(session.path('old.txt'), 'old\n')
      writeFileSync(session.path('gone.txt'), 'gone\n')
      const steps = [
        { write: 'new.txt', content: 'new\n' },
        { run: "sed -i 's/old/newer/' old.txt && rm gone.txt && mv new.txt moved.txt" },
        { say: 'done' },
      ]
      const { run } = await session.run(steps)
      const item = await session.item('files')
      expect(item.files).toEqual([
        { path: 'gone.txt', change: 'deleted' },
        { path: 'moved.txt', change: 'created' },
        { path: 'old.txt', change: 'modified' },
      ])
      expect(item).toMatchObject({ run, counts: { created: 1, modified: 1, deleted: 1 } })
      expect(await session.row()).toMatchObject({ changed: 3 })
      const { changes } = await session.carrel.call('history.changes', { ...placed(session), run })
      const now = changes.filter(({ before, after }) => before !== null || after !== null)
      expect(now.map(({ path, certainty }) => [path, certainty])).toContainEqual(['old.txt', 'sole'])
      await expectWhole(session)
    })

    it('F2: an undo removes the work of one session; the lines of another session and of a person stay', async () => {
      const world = await open()
      const first = await freely(await world.session())
      const second = await freely(await world.session({ beside: first }))
      writeFileSync(first.path('list.txt'), TEN)
      const { run } = await first.run([
        { edit: 'list.txt', old: 'one', new: 'ONE' },
        { write: 'mine.txt', content: 'x' },
      ])
      await second.run([{ edit: 'list.txt', old: 'five', new: 'FIVE' }])
      writeFileSync(first.path('list.txt'), readFileSync(first.path('list.txt'), 'utf8').replace('ten', 'TEN'))
      const plan = await first.carrel.call('plans.make', { ...placed(first), request: undoOf(run) })
      expect(plan.entries.map(({ path, how, conflicts }) => [path, how, conflicts])).toEqual([
        ['list.txt', 'merge', []],
        ['mine.txt', 'delete', []],
      ])
      const done = await act(first, undoOf(run))
      expect(done.written).toEqual(['list.txt', 'mine.txt'])
      expect(readFileSync(first.path('list.txt'), 'utf8')).toBe(TEN.replace('five', 'FIVE').replace('ten', 'TEN'))
      expect(existsSync(first.path('mine.txt'))).toBe(false)
      expect((await first.eventsOf('files.restored')).map(({ data }) => data)).toMatchObject([
        { act: done.id, how: 'undo', count: 2, paths: ['list.txt', 'mine.txt'] },
      ])
      expect(await second.eventsOf('files.taken')).toEqual([])
      await act(first, { kind: 'undo', of: { kind: 'act', act: done.id } })
      expect(readFileSync(first.path('list.txt'), 'utf8')).toContain('ONE')
      expect(readFileSync(first.path('mine.txt'), 'utf8')).toBe('x')
      // An event that brings work back does not call itself an undo.
      expect((await first.eventsOf('files.restored')).map(({ data }) => data.how)).toEqual(['undo', 'restore'])
      await expectWhole(first)
    })

    near('F2: an undo takes another session’s later work only by name, and that session gets a notice', async () => {
      const world = await open()
      const first = await freely(await world.session())
      const second = await freely(await world.session({ beside: first }))
      writeFileSync(first.path('a.txt'), 'before\n')
      const { run } = await first.run([{ write: 'a.txt', content: 'first\n' }])
      await second.run([{ write: 'a.txt', content: 'second\n' }])
      const request = undoOf(run)
      await expect(act(first, request)).rejects.toMatchObject({ code: 'conflict' })
      expect(readFileSync(first.path('a.txt'), 'utf8')).toBe('second\n')
      expect(await act(first, request, { leave: ['a.txt'] })).toMatchObject({ written: [], left: ['a.txt'] })
      const done = await act(first, request, { overwrite: ['a.txt'] })
      expect(readFileSync(first.path('a.txt'), 'utf8')).toBe('before\n')
      expect((await second.eventsOf('files.taken')).map(({ data }) => data)).toMatchObject([
        { act: done.id, by: { name: expect.any(String) }, paths: ['a.txt'] },
      ])
      expect(await second.item('act')).toMatchObject({ what: 'taken', paths: ['a.txt'] })
      const { acts } = await first.carrel.call('acts.list', placed(first))
      expect(acts[0]).toMatchObject({ id: done.id, taken: [{ author: { kind: 'run' }, paths: ['a.txt'] }] })
    })

    near('F3: a plan that is older than the files writes nothing', async () => {
      const world = await open()
      const session = await freely(await world.session())
      const { run } = await session.run([
        { write: 'a.txt', content: 'a\n' },
        { write: 'b.txt', content: 'b\n' },
      ])
      const request = undoOf(run)
      const { digest } = await session.carrel.call('plans.make', { ...placed(session), request })
      writeFileSync(session.path('b.txt'), 'a person was here\n')
      const late = session.carrel.call('plans.apply', { ...placed(session), request, digest, overwrite: ['b.txt'] })
      await expect(late).rejects.toMatchObject({ code: 'stale_plan' })
      expect(readFileSync(session.path('a.txt'), 'utf8')).toBe('a\n')
      expect(readFileSync(session.path('b.txt'), 'utf8')).toBe('a person was here\n')
    })

    near('work of people between runs is theirs, and a restore goes back to a snapshot', async () => {
      const world = await open()
      const session = await freely(await world.session())
      await session.run([{ write: 'a.txt', content: '1\n' }])
      writeFileSync(session.path('a.txt'), '2\n')
      const { n } = await session.carrel.call('history.capture', placed(session))
      await session.run([{ write: 'a.txt', content: '3\n' }])
      const { changes } = await session.carrel.call('history.path', { ...placed(session), path: 'a.txt' })
      expect(changes.map(({ author }) => author.kind)).toEqual(['run', 'outside', 'run'])
      const diff = await session.carrel.call('history.diff', { ...placed(session), path: 'a.txt', from: n })
      expect(diff.texts).toEqual({ before: '2\n', after: '3\n' })
      await act(session, { kind: 'restore', to: n }, {})
      expect(readFileSync(session.path('a.txt'), 'utf8')).toBe('2\n')
      expect(await session.item('act')).toMatchObject({ what: 'restored' })
      const file = await session.carrel.call('history.file', { ...placed(session), path: 'a.txt', at: n })
      expect(file).toMatchObject({ encoding: 'text', content: '2\n' })
    })

    near('F2: what a person does while a run waits for an answer is never the run’s alone', async () => {
      const world = await open()
      const session = await world.session()
      for (const name of ['notes.md', 'gone.md']) writeFileSync(session.path(name), 'before\n')
      const { prompt } = await session.prompt([{ run: 'echo 1 > mine.txt', ask: true }, { say: 'done' }])
      const { interaction, run } = (await session.until('interaction.opened')).data
      writeFileSync(session.path('notes.md'), 'by a person\n')
      rmSync(session.path('gone.md'))
      await session.answer(interaction, 'allow-once')
      await session.endOf(prompt)
      const { changes } = await session.carrel.call('history.changes', { ...placed(session), run })
      expect(changes.map(({ path, certainty }) => [path, certainty])).toEqual([
        ['gone.md', 'overlapping'],
        ['mine.txt', 'sole'],
        ['notes.md', 'overlapping'],
      ])
      await expect(act(session, undoOf(run))).rejects.toMatchObject({ code: 'conflict' })
      await act(session, undoOf(run), { leave: ['gone.md', 'notes.md'] })
      expect(existsSync(session.path('mine.txt'))).toBe(false)
      expect(readFileSync(session.path('notes.md'), 'utf8')).toBe('by a person\n')
    })

    near('F2: what a person does while a run is parked, or only starts, is the person’s', async () => {
      const world = await open({ parkAfterMs: 20 })
      const session = await world.session()
      for (const name of ['notes.md', 'early.md']) writeFileSync(session.path(name), 'before\n')
      await session.carrel.call('history.capture', placed(session))
      writeFileSync(session.path('early.md'), 'by a person\n')
      const { prompt } = await session.prompt([{ run: 'echo 1 > mine.txt', ask: true }, { say: 'done' }])
      const { run } = (await session.until('run.parked')).data
      // In the very tick in which the run was parked, the disk cannot tell its work from a person's.
      passTick(session.path('../tick'))
      writeFileSync(session.path('notes.md'), 'by a person\n')
      await session.answer((await session.until('interaction.opened')).data.interaction, 'allow-once')
      await session.endOf(prompt)
      const { changes } = await session.carrel.call('history.changes', { ...placed(session), run })
      expect(changes.map(({ path, certainty }) => [path, certainty])).toEqual([['mine.txt', 'sole']])
      const { changes: all } = await session.carrel.call('history.path', { ...placed(session), path: 'notes.md' })
      expect(all.map(({ certainty }) => certainty)).toEqual(['external'])
    })

    near('a run that read one version of a file cannot overwrite another without reading again', async () => {
      const world = await open()
      const session = await freely(await world.session())
      writeFileSync(session.path('a.txt'), 'one\n')
      const steps = [
        { read: 'a.txt', via: 'client' },
        { gate: 'go' },
        { write: 'a.txt', content: 'agent\n', via: 'client' },
        { read: 'a.txt', via: 'client' },
        { write: 'a.txt', content: 'agent again\n', via: 'client' },
        { say: 'done' },
      ]
      const { prompt } = await session.prompt(steps, { wait: 'started' })
      await eventually('the run has read the file', async () =>
        (await session.items()).some((item) => item.kind === 'tool'),
      )
      await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('completed'))
      // The only running session would be the author: another author must have been seen.
      const other = await freely(await world.session({ beside: session }))
      await other.run([{ write: 'a.txt', content: 'two\n' }])
      session.open('go')
      await session.endOf(prompt)
      const calls = (await session.items()).flatMap((item) => (item.kind === 'tool' ? [item] : []))
      expect(calls.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed', 'completed'])
      expect(JSON.stringify(calls[1])).toMatch(/was changed by another session since you read it/)
      expect(readFileSync(session.path('a.txt'), 'utf8')).toBe('agent again\n')
    })

    near('two running sessions that change one path both get a notice while they run', async () => {
      const world = await open()
      const first = await freely(await world.session())
      const second = await freely(await world.session({ beside: first }))
      const one = await first.prompt([{ write: 'a.txt', content: '1\n' }, { gate: 'go' }], { wait: 'started' })
      await first.until('snapshot.taken')
      const two = await second.prompt([{ write: 'a.txt', content: '2\n' }, { gate: 'go' }], { wait: 'started' })
      const heard = await first.until('files.conflicted')
      expect(heard.data).toMatchObject({ paths: ['a.txt'], other: { session: second.id } })
      expect((await second.until('files.conflicted')).data.other).toMatchObject({ session: first.id })
      first.open('go')
      await first.endOf(one.prompt)
      await second.endOf(two.prompt)
      expect(await first.item('files')).toMatchObject({ conflicts: [{ session: second.id, paths: ['a.txt'] }] })
      await expectWhole(first)
      await expectWhole(second)
    })

    near('F5: excluded files are listed with the reason, and file rules of the Space decide about them', async () => {
      const world = await open()
      const session = await freely(await world.session())
      const id = session.space.id
      writeFileSync(session.path('.gitignore'), 'out/\n')
      mkdirSync(session.path('out'))
      await session.run([{ run: 'echo built > out/app.js; echo KEY=1 > .env' }, { say: 'built' }])
      const { gaps } = await session.carrel.call('history.gaps', placed(session))
      expect(gaps).toContainEqual(expect.objectContaining({ path: 'out', why: 'ignored' }))
      const check = (path: string) => session.carrel.call('fileRules.check', { workspace: session.workspace, id, path })
      expect(await check('.env')).toMatchObject({ class: 'system', action: 'confirm', covered: true })
      expect(await check('out/app.js')).toMatchObject({ covered: false })
      expect(await check('tsconfig.json')).toMatchObject({ class: 'work', action: 'allow', glob: null })
      const rules = { paths: [{ glob: 'db/**', class: 'work' as const, action: 'block' as const }] }
      await session.carrel.call('fileRules.set', { workspace: session.workspace, id, rules })
      expect(await check('db/x.sql')).toMatchObject({ action: 'block', glob: 'db/**' })
      await session.carrel.call('fileRules.set', { workspace: session.workspace, id, rules: null })
      expect(await check('db/x.sql')).toMatchObject({ action: 'allow' })
    })

    near('F8: a place that cannot be made is reported, and nothing runs anywhere else', async () => {
      const world = await open()
      const session = await world.session()
      const asked = { workspace: session.workspace, space: session.space.id, name: 'Apart', place: 'worktree' as const }
      const made = await session.carrel.call('projects.create', asked)
      expect(made.place).toMatchObject({ kind: 'worktree', state: 'making' })
      const state = async () => {
        const { projects } = await session.carrel.call('projects.list', { workspace: session.workspace })
        return projects.find(({ id }) => id === made.id)?.place
      }
      await eventually('the place has failed', async () => (await state())?.state === 'failed')
      expect((await state())?.note).toMatch(/\w+.*\.$/)
      const { id } = await session.carrel.call('sessions.create', { workspace: session.workspace, project: made.id })
      const asking = {
        workspace: session.workspace,
        id,
        content: '@@do [{"run":"echo x > x.txt"}] @@end',
        wait: 'ended' as const,
      }
      const answer = await session.carrel.call('sessions.prompt', asking)
      expect(answer.outcome).toBe('failed')
      expect(existsSync(session.path('x.txt'))).toBe(false)
    })

    it('B1: followers of a workspace hear that files may have changed, and nobody else does', async () => {
      const world = await open()
      const { carrel } = world
      for (const id of ['mine', 'theirs']) await carrel.call('workspaces.create', { id })
      const sessions = [await world.session({ workspace: 'mine' }), await world.session({ workspace: 'theirs' })]
      const stop = new AbortController()
      const told: string[] = []
      const listen = async (workspace: string) => {
        const target = { kind: 'workspace' as const, workspace, after: 0 }
        for await (const { kind, log } of carrel.follow([target], stop.signal)) if (kind === 'files') told.push(log)
      }
      const listening = ['mine', 'theirs'].map(listen)
      for (const [at, session] of sessions.entries()) {
        await carrel.call('history.capture', placed(session))
        await eventually('the followers heard', async () => told.includes(session.workspace))
        // Nobody has scanned their files yet.
        if (at === 0) expect(told).not.toContain('theirs')
      }
      stop.abort()
      await Promise.all(listening)
    })

    near('a folder that was moved away keeps its history', async () => {
      const world = await open()
      const session = await freely(await world.session())
      await session.run([{ write: 'a.txt', content: 'kept\n' }])
      // Renamed at once: no scan may see the folder without its files.
      renameSync(session.folder, `${session.folder}-away`)
      const file = await session.carrel.call('history.file', { ...placed(session), path: 'a.txt' })
      expect(file.content).toBe('kept\n')
      await expect(session.carrel.call('history.capture', placed(session))).rejects.toMatchObject({ code: 'gone' })
      mkdirSync(session.folder)
      await appears(session.folder)
    })
  })
}
