import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testSession, textOf } from '../support/carrel-session.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { freely } from './carrel-files.ts'
import { expectWhole } from './carrel-runs.ts'

const at = (session: { workspace: string; id: string }) => ({ workspace: session.workspace, id: session.id })

export function describeTree(open: OpenCarrel, near: Case): void {
  describe('the tree', () => {
    it('L9: a fork shares the past up to its event, and then diverges', async () => {
      const world = await open()
      const session = await world.session()
      await session.run([{ say: 'shared' }])
      const cut = (await session.log()).length
      await session.run([{ say: 'only in the first' }])
      const { id } = await world.carrel.call('sessions.fork', { ...at(session), seq: cut })
      const { workspace, space, project } = session
      const fork = testSession(world.carrel, { workspace, id, space, project })
      await fork.run([{ say: 'only in the fork' }])
      expect(textOf(await fork.items())).toBe('sharedonly in the fork')
      expect(textOf(await session.items())).toBe('sharedonly in the first')
      const head = (await session.log()).slice(0, cut)
      expect((await fork.log()).slice(0, cut)).toEqual(head.map((event) => ({ ...event, session: id })))
      // The fork lacks the agent's memory of the original: it gets the transcript.
      expect((await fork.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'primed'])
      expect(await fork.row()).toMatchObject({ forkedFrom: { session: session.id, seq: cut } })
      await expect(world.carrel.call('sessions.fork', { ...at(session), seq: 10_000 })).rejects.toMatchObject({
        code: 'bad_input',
      })
      await expectWhole(fork)
      await expectWhole(session)
    })

    near('L9: a fork in the middle of a run and its question leaves both behind', async () => {
      const world = await open()
      const session = await world.session()
      await session.prompt([{ write: 'a.txt', content: 'a' }])
      const asked = await session.until('interaction.opened')
      const { id } = await world.carrel.call('sessions.fork', { ...at(session), seq: asked.seq })
      const { workspace, space, project } = session
      const fork = testSession(world.carrel, { workspace, id, space, project })
      expect(await fork.row()).toMatchObject({ state: 'idle', questions: 0 })
      expect((await fork.run([{ say: 'free' }])).outcome).toBe('completed')
      expect((await world.carrel.call('interactions.list', { workspace, state: 'open' })).interactions).toHaveLength(1)
      await session.answer(asked.data.interaction, 'reject-once')
      await session.until('run.ended')
      await expectWhole(fork)
    })

    near('P1: closing a session ends its run, its queue and its agents; its log stays', async () => {
      const world = await open()
      const session = await world.session()
      const first = await session.prompt([{ say: 'on' }, { gate: 'never' }], { wait: 'started' })
      const queued = await session.prompt([{ say: 'queued' }])
      await world.carrel.call('sessions.close', at(session))
      await session.until('session.closed')
      expect((await session.endOf(first.prompt)).data.outcome).toBe('cancelled')
      expect((await session.eventsOf('prompt.withdrawn')).map((event) => event.data.prompt)).toEqual([queued.prompt])
      await expect(session.prompt('more')).rejects.toMatchObject({ code: 'gone' })
      expect(await session.row()).toMatchObject({ state: 'closed', queued: 0 })
      await world.carrel.call('sessions.close', at(session))
      await expectWhole(session)
    })

    near('L4: a session with a live run is not deleted; the extent of a deletion is counted first', async () => {
      const world = await open()
      const session = await world.session()
      const { prompt } = await session.prompt([{ gate: 'go' }, { say: 'done' }], { wait: 'started' })
      const preview = await world.carrel.call('sessions.delete', at(session))
      expect(preview).toMatchObject({ deleted: false, preview: { sessions: 1, folders: [] } })
      expect(preview.preview.busy).toHaveLength(1)
      await expect(world.carrel.call('sessions.delete', { ...at(session), confirm: true })).rejects.toMatchObject({
        code: 'busy',
      })
      session.open('go')
      await session.endOf(prompt)
      const events = (await session.log()).length
      const gone = await world.carrel.call('spaces.delete', {
        workspace: world.workspace,
        id: session.space.id,
        confirm: true,
      })
      expect(gone).toMatchObject({
        deleted: true,
        preview: { spaces: 1, projects: 1, sessions: 1, events, folders: [] },
      })
      await expect(session.row()).rejects.toMatchObject({ code: 'not_found' })
      writeFileSync(session.path('still-there'), '')
    })

    near('F5: a missing folder is a state; a prompt reports it; the folder comes back', async () => {
      const world = await open()
      const session = await world.session()
      renameSync(session.folder, `${session.folder}-away`)
      const spaceOf = async () =>
        (await world.carrel.call('spaces.get', { workspace: world.workspace, id: session.space.id })).space.state
      expect(await spaceOf()).toBe('missing')
      const ended = await session.run([{ say: 'hi' }])
      expect(ended).toMatchObject({
        outcome: 'failed',
        error: { message: expect.stringContaining(`${session.folder} does not exist`) },
      })
      renameSync(`${session.folder}-away`, session.folder)
      expect(await spaceOf()).toBe('present')
      expect((await session.run([{ say: 'hi' }])).outcome).toBe('completed')
    })

    near(
      'F8: no write makes a folder again that is gone or replaced, and the run is charged with nothing',
      async () => {
        const world = await open()
        const inPlace = [
          ['nothing', ''],
          ['an empty folder', ' && mkdir FOLDER'],
          ['a link to the folder itself', ' && ln -s FOLDER-away FOLDER'],
        ] as const
        for (const [what, command] of inPlace) {
          const session = await freely(await world.session())
          const { folder } = session
          const spaceOf = async () =>
            (await world.carrel.call('spaces.get', { workspace: world.workspace, id: session.space.id })).space.state
          writeFileSync(session.path('mine.txt'), 'mine\n')
          const away = `mv FOLDER FOLDER-away${command}`.replaceAll('FOLDER', folder)
          const write = { method: 'fs/write_text_file', params: { path: session.path('deep/new.txt'), content: 'x' } }
          const terminal = { method: 'terminal/create', params: { command: 'touch made', cwd: folder } }
          const { run } = await session.run([{ run: away }, { request: write }, { request: terminal }])
          const text = textOf(await session.items())
          expect(text.match(/-32602/g), what).toHaveLength(2)
          expect(text, what).toMatch(/does not exist|stands where/)
          expect(existsSync(`${folder}-away/deep`) || existsSync(`${folder}-away/made`), what).toBe(false)
          expect(await spaceOf(), what).toBe('missing')
          const place = { workspace: world.workspace, project: session.project }
          await expect(world.carrel.call('history.capture', place), what).rejects.toMatchObject({ code: 'gone' })
          expect((await world.carrel.call('history.changes', { ...place, run })).changes, what).toEqual([])
          expect(await session.run([{ say: 'hi' }]), what).toMatchObject({ outcome: 'failed' })
          rmSync(folder, { recursive: true, force: true })
          renameSync(`${folder}-away`, folder)
          expect(await spaceOf(), what).toBe('present')
          expect((await session.run([{ write: 'new.txt', content: 'x' }])).outcome, what).toBe('completed')
          expect(readFileSync(session.path('mine.txt'), 'utf8')).toBe('mine\n')
        }
      },
    )

    it('a field that the operation does not know is refused, and nothing is made', async () => {
      const world = await open()
      const misspelled = { workspace: world.workspace, fodler: world.work('meant') } as { workspace: string }
      await expect(world.carrel.call('spaces.create', misspelled)).rejects.toMatchObject({
        code: 'bad_input',
        data: { problems: [{ field: 'fodler', nearest: 'folder' }] },
      })
      expect((await world.carrel.call('spaces.list', { workspace: world.workspace })).spaces).toEqual([])
    })

    near('B2: a Space is never bound to a path that is not a folder of its own', async () => {
      const world = await open()
      const taken = world.work('taken')
      mkdirSync(join(taken, 'inner'))
      mkdirSync(join(world.home, '.ssh'))
      symlinkSync(taken, join(world.root, 'alias'))
      symlinkSync(world.home, join(world.root, 'home-alias'))
      await world.carrel.call('spaces.create', { workspace: world.workspace, folder: taken })
      const refused = [
        ...[
          '/',
          world.home,
          join(world.root, 'home-alias'),
          join(world.home, '.ssh'),
          world.dataFolder,
          world.root,
          '/etc',
        ],
        ...[
          taken,
          join(world.root, 'alias'),
          join(taken, 'inner'),
          join(world.root, 'alias', 'inner'),
          join(world.root, 'work'),
        ],
        ...['relative/folder', join(world.root, 'nowhere')],
      ]
      for (const folder of refused) {
        await expect(
          world.carrel.call('spaces.create', { workspace: world.workspace, folder }),
          folder,
        ).rejects.toMatchObject({ code: 'bad_input' })
      }
      const blank = await world.carrel.call('spaces.create', { workspace: world.workspace })
      expect(blank.space).toMatchObject({ kind: 'blank', state: 'present' })
      expect((await world.carrel.call('spaces.list', { workspace: world.workspace })).spaces).toHaveLength(2)
      const { id, folder } = blank.space
      expect(existsSync(folder)).toBe(true)
      const preview = await world.carrel.call('spaces.delete', { workspace: world.workspace, id })
      expect(preview).toMatchObject({ deleted: false, preview: { folders: [folder] } })
      await world.carrel.call('spaces.delete', { workspace: world.workspace, id, confirm: true })
      expect([existsSync(folder), existsSync(taken)]).toEqual([false, true])
    })
  })
}
