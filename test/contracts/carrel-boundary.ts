import { describe, expect, it } from 'vitest'
import { type OperationName, operations } from '../../src/api/index.ts'
import type { World } from '../support/carrel-world.ts'
import type { OpenCarrel } from './carrel.ts'

const RESTORE = { kind: 'restore', to: 1 }

/** Input of a call besides `workspace` and `id`: only the boundary can refuse the call. */
const MORE: Partial<Record<OperationName, object>> = {
  'workspaces.rename': { name: 'mine now' },
  'spaces.rename': { name: 'mine now' },
  'projects.rename': { name: 'mine now' },
  'sessions.rename': { name: 'mine now' },
  'sessions.fork': { seq: 1 },
  'sessions.prompt': { content: 'hello' },
  'sessions.configure': { mode: 'auto' },
  'prompts.edit': { content: 'other' },
  'interactions.answer': { answer: { option: 'allow-once' } },
  'projects.create': { name: 'mine' },
  'rules.add': { action: 'deny' },
  'spaces.delete': { confirm: true },
  'search.items': { text: 'secret' },
  'history.pin': { n: 1 },
  'history.path': { path: 'a.txt' },
  'history.diff': { path: 'a.txt' },
  'history.file': { path: 'a.txt' },
  'plans.make': { request: RESTORE },
  'plans.diff': { request: RESTORE, path: 'a.txt' },
  'plans.apply': { request: RESTORE, digest: 'x' },
  'fileRules.set': { rules: null },
  'fileRules.check': { path: 'a.txt' },
  'places.remove': { confirm: true },
  'places.export': { as: 'patch' },
  'environment.set': { settings: { env: { MINE: 'x' } } },
  'secrets.put': { name: 'MINE', value: 'mine-canary' },
  'secrets.remove': { name: 'THEIRS' },
  'projects.delete': { confirm: true },
  'sessions.delete': { confirm: true },
}

/** Creates things of each kind that some operation takes, in workspace `theirs`. */
async function theirs(world: World) {
  await world.carrel.call('workspaces.create', { id: 'theirs' })
  const session = await world.session({ workspace: 'theirs' })
  const { prompt, run } = await session.prompt([{ write: 'a.txt', content: 'secret-canary' }], { wait: 'started' })
  const asked = await session.until('interaction.opened')
  const rule = await world.carrel.call('rules.add', { workspace: 'theirs', action: 'deny', path: 'x' })
  const ids = {
    spaces: session.space.id,
    paths: session.space.id,
    projects: session.project,
    sessions: session.id,
    runs: run,
    interactions: asked.data.interaction,
    rules: rule.id,
    prompts: session.id,
  }
  return { session, prompt, ids }
}

export function describeBoundary(open: OpenCarrel): void {
  describe('the boundary', () => {
    it('B1: no operation answers for an id of another workspace', async () => {
      const world = await open({}, { alone: true })
      await world.carrel.call('workspaces.create', { id: 'mine' })
      const { session, prompt, ids } = await theirs(world)
      const before = await session.log()
      const refused: string[] = []
      for (const name of Object.keys(operations) as OperationName[]) {
        const noun = name.split('.')[0] as keyof typeof ids
        const shape = (operations[name].input as unknown as { shape?: Record<string, unknown> }).shape ?? {}
        const input: Record<string, unknown> = { workspace: 'mine', ...MORE[name] }
        if ('id' in shape) input.id = ids[noun]
        if ('prompt' in shape) input.prompt = prompt
        if (!('id' in shape))
          for (const key of ['space', 'project', 'session'] as const) if (key in shape) input[key] = ids[`${key}s`]
        if (
          !('workspace' in shape) ||
          !Object.values(input).some((value) => Object.values(ids).includes(value as never))
        )
          continue
        const answer = await world.carrel.call(name, input as never).then(
          (output) => JSON.stringify(output),
          (error) => error.code,
        )
        // A list filtered by another workspace's id may be empty; it may not reveal what exists.
        expect(answer, `${name} ${JSON.stringify(input)}`).toMatch(
          /^not_found$|^\{"(sessions|projects|interactions|runs|ports)":\[\](,"cursor":null)?\}$/,
        )
        refused.push(name)
      }
      expect(refused.length).toBeGreaterThan(25)
      expect(await session.log()).toEqual(before)
      const target = { kind: 'session' as const, workspace: 'mine', session: session.id, after: 0 }
      const follow = async () => {
        for await (const followed of world.carrel.follow([target], AbortSignal.timeout(10_000))) return followed
        return null
      }
      await expect(follow()).rejects.toMatchObject({ code: 'not_found' })
      await session.answer(ids.interactions, 'reject-once')
      await session.until('run.ended')
    })

    it('B1: cursors, names and searches of one workspace find nothing in another', async () => {
      const world = await open({}, { alone: true })
      await world.carrel.call('workspaces.create', { id: 'mine' })
      await world.carrel.call('workspaces.create', { id: 'theirs' })
      const first = await world.session({ workspace: 'theirs' })
      const second = await world.session({ workspace: 'theirs', beside: first })
      for (const session of [first, second])
        await world.carrel.call('sessions.rename', { workspace: 'theirs', id: session.id, name: 'canary' })
      const page = await world.carrel.call('sessions.list', { workspace: 'theirs', limit: 1 })
      expect(page.cursor).not.toBeNull()
      const taken = await world.carrel
        .call('sessions.list', { workspace: 'mine', limit: 1, cursor: page.cursor ?? '' })
        .catch((error) => error.code)
      expect(JSON.stringify(taken)).not.toContain('canary')
      expect((await world.carrel.call('sessions.list', { workspace: 'mine', text: 'canary' })).sessions).toEqual([])
      expect((await world.carrel.call('sessions.list', { workspace: 'theirs', text: 'canary' })).sessions).toHaveLength(
        2,
      )
      const whole = await world.carrel.call('workspaces.get', { workspace: 'mine' })
      expect(whole).toMatchObject({ spaces: [], projects: [], sessions: [], interactions: [], rules: [] })
    })

    it('B1: ids that are unknown, misspelt or nonsense are refused with a message', async () => {
      const world = await open()
      const session = await world.session()
      const other = `${session.id.slice(0, -1)}${session.id.endsWith('0') ? '1' : '0'}`
      const call = (id: string) => world.carrel.call('sessions.get', { workspace: world.workspace, id })
      await expect(call(other)).rejects.toMatchObject({ code: 'not_found', message: expect.stringMatching(/\.$/) })
      for (const id of ['x', '../../etc/passwd', 'ses_', `${session.id}0`, "' or 1=1 --"]) {
        await expect(call(id), id).rejects.toMatchObject({ code: 'bad_input' })
      }
      await expect(world.carrel.call('workspaces.get', { workspace: 'nope' })).rejects.toMatchObject({
        code: 'not_found',
      })
      await expect(world.carrel.call('workspaces.get', { workspace: '..' })).rejects.toMatchObject({
        code: 'bad_input',
      })
      await expect(session.prompt('')).rejects.toMatchObject({ code: 'bad_input' })
      const blocks = [{ type: 'hologram', text: 'x' }] as never
      await expect(
        world.carrel.call('sessions.prompt', { workspace: world.workspace, id: session.id, content: blocks }),
      ).rejects.toMatchObject({ code: 'bad_input' })
      const ahead = { kind: 'session' as const, workspace: world.workspace, session: session.id, after: 99 }
      const follow = async () => {
        for await (const followed of world.carrel.follow([ahead], AbortSignal.timeout(10_000))) return followed
        return null
      }
      await expect(follow()).rejects.toMatchObject({ code: 'bad_input' })
      expect(await session.log()).toEqual([])
    })
  })
}
