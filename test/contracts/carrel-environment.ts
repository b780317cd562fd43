import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually, testSession } from '../support/carrel-session.ts'
import type { Case, OpenCarrel } from './carrel.ts'

const print = (name: string) => ({ run: `printf 'got:%s.' "$${name}"` })

export function describeEnvironment(open: OpenCarrel, near: Case): void {
  describe('environment', () => {
    it('P3: a run gets the variables of all scopes around it, the nearest of each name, and its neighbour does not', async () => {
      const { carrel, session, workspace } = await open()
      const here = await session()
      const there = await session()
      const set = (settings: object, where: object = {}) =>
        carrel.call('environment.set', { workspace, ...where, settings })
      await set({ env: { A: 'far', B: 'far', SECRET: 'plain' } })
      await set({ env: { A: 'space', C: 'space' } }, { space: here.space.id })
      const found = await set({ env: { A: 'near' } }, { project: here.project })
      expect(found).toMatchObject({
        own: { env: { A: 'near' } },
        effective: {
          env: { A: { value: 'near', from: 'project' }, C: { from: 'space' }, B: { value: 'far', from: 'workspace' } },
          home: { value: 'person', from: 'default' },
        },
      })
      await carrel.call('secrets.put', { workspace, name: 'SECRET', value: 'the-canary-1' })
      await here.run([print('A'), print('B'), print('C'), print('SECRET')])
      const said = JSON.stringify(await here.log())
      for (const words of ['got:near.', 'got:far.', 'got:space.', 'got:[secret SECRET].']) expect(said).toContain(words)
      await there.run([print('A'), print('C')])
      const other = JSON.stringify(await there.log())
      expect(other).toContain('got:far.')
      expect(other).toContain('got:.')
      expect(other).not.toContain('got:space.')
    })

    near('P3: a change reaches the next run, and a removed variable is gone', async () => {
      const { carrel, session, workspace } = await open()
      const one = await session()
      const set = (env: object | null) => carrel.call('environment.set', { workspace, settings: { env } as never })
      await set({ A: 'first' })
      await one.run([print('A')])
      await set({ A: 'second' })
      await one.run([print('A')])
      await set(null)
      await one.run([print('A')])
      const said = JSON.stringify(await one.log())
      for (const words of ['got:first.', 'got:second.', 'got:.']) expect(said).toContain(words)
    })

    near(
      'P7: a place has its own ports under their names, the same for all its runs, until it is removed',
      async () => {
        const { carrel, session, workspace } = await open()
        const one = await session()
        const beside = await session({ beside: one })
        const other = await session()
        await carrel.call('environment.set', { workspace, settings: { ports: ['web', 'api'] } })
        const step = { run: 'echo "$CARREL_PORT_WEB $CARREL_PORT_API" > ports; cat ports' }
        await one.run([step])
        const mine = readFileSync(one.path('ports'), 'utf8').trim().split(' ').map(Number)
        await beside.run([step])
        expect(readFileSync(one.path('ports'), 'utf8').trim().split(' ').map(Number)).toEqual(mine)
        await other.run([step])
        const theirs = readFileSync(other.path('ports'), 'utf8').trim().split(' ').map(Number)
        expect(new Set([...mine, ...theirs]).size).toBe(4)
        const { ports } = await carrel.call('ports.list', { workspace, project: one.project })
        const shared = { place: `space:${one.space.id}`, listening: false, apart: false }
        expect(ports).toEqual([
          { ...shared, name: 'api', port: mine[1], preview: expect.stringMatching(/^api-[a-z2-7]{16}$/) },
          { ...shared, name: 'web', port: mine[0], preview: expect.stringMatching(/^web-[a-z2-7]{16}$/) },
        ])
        expect((await carrel.call('ports.list', { workspace })).ports).toHaveLength(4)
        await carrel.call('spaces.delete', { workspace, id: one.space.id, confirm: true })
        expect((await carrel.call('ports.list', { workspace })).ports).toHaveLength(2)
      },
    )

    near('P7: a removed place returns its ports, and no other place loses one', async () => {
      const { carrel, session, workspace } = await open()
      const beside = await session()
      const asked = { workspace, space: beside.space.id, name: 'Apart', place: 'overlay' as const }
      const { id: project } = await carrel.call('projects.create', asked)
      const placeOf = async () =>
        (await carrel.call('projects.list', { workspace })).projects.find(({ id }) => id === project)?.place
      await eventually('the place exists', async () => (await placeOf())?.state !== 'making')
      expect(await placeOf()).toMatchObject({ state: 'ready' })
      await carrel.call('environment.set', { workspace, settings: { ports: ['web'] } })
      const { id } = await carrel.call('sessions.create', { workspace, project, agent: 'scripted' })
      const apart = testSession(carrel, { workspace, id, space: beside.space, project })
      await apart.run([{ say: 'here' }])
      await beside.run([{ say: 'and here' }])
      const places = async () => (await carrel.call('ports.list', { workspace })).ports.map(({ place }) => place)
      expect(await places()).toEqual([`project:${project}`, `space:${beside.space.id}`])
      expect(await carrel.call('places.remove', { workspace, project })).toMatchObject({ removed: false })
      expect(await places()).toHaveLength(2)
      expect(await carrel.call('places.remove', { workspace, project, confirm: true })).toMatchObject({
        removed: true,
      })
      expect(await places()).toEqual([`space:${beside.space.id}`])
      // A prompt in a removed place gets no port there again.
      expect((await apart.run([{ say: 'too late' }])).outcome).toBe('failed')
      expect(await places()).toEqual([`space:${beside.space.id}`])
    })

    near('B3: the environment of a run can be read, with a handle in the place of a secret', async () => {
      const { carrel, session, workspace } = await open()
      const one = await session()
      await carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'given-canary-1' })
      await carrel.call('environment.set', { workspace, settings: { env: { PLAIN: 'for all' } } })
      await one.run([print('PLAIN')])
      const [run] = await one.runs()
      const given = await carrel.call('runs.environment', { workspace, id: run!.id })
      expect(given).toMatchObject({ session: one.id, cwd: one.folder, home: 'person', sandbox: 'off' })
      const variable = (name: string) => given.env.find((each) => each.name === name)
      expect(variable('TOKEN')).toEqual({ name: 'TOKEN', from: 'secret', value: '[secret TOKEN]' })
      expect(variable('PLAIN')).toEqual({ name: 'PLAIN', from: 'workspace', value: 'for all' })
      expect(variable('TMPDIR')).toEqual({ name: 'TMPDIR', from: 'carrel', value: given.temporary })
      expect(variable('PATH')).toEqual({ name: 'PATH', from: 'machine', value: null })
      expect(JSON.stringify(given)).not.toContain('canary')
    })

    near(
      'F8: settings that cannot be kept yet, reserved names and values of secrets are refused with a message',
      async () => {
        const { carrel, session, workspace } = await open()
        const one = await session()
        await carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'refused-canary' })
        const set = (settings: object, where: object = {}) =>
          carrel.call('environment.set', { workspace, ...where, settings }).then(
            () => 'taken',
            (error) => `${error.code} ${error.message}`,
          )
        const refused = [
          { browser: 'shared' },
          { env: { PATH: '/x' } },
          { env: { TMP: '/x' } },
          { env: { CARREL_X: '1' } },
          { env: { 'NOT A NAME': '1' } },
          { env: { PASTED: 'it is refused-canary' } },
          { nonsense: 1 },
        ]
        for (const settings of refused) {
          const words = await set(settings)
          expect(words, JSON.stringify(settings)).toMatch(/^bad_input .*[a-z]/)
          expect(words).not.toContain('canary')
        }
        expect(await set({ sandbox: 'off', browser: 'none', hosts: ['example.com'], home: 'person' })).toBe('taken')
        const other = await session()
        expect(await set({}, { project: one.project, space: other.space.id })).toMatch(/^bad_input /)
      },
    )
  })
}
