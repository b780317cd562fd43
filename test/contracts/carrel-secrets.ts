import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { textOf } from '../support/carrel-session.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { act, freely } from './carrel-files.ts'

/** Builds a command of the agent that prints a variable. */
const print = (name: string) => ({ run: `printf 'got:%s.' "$${name}"` })

/**
 * Builds a command that identifies a value without printing it, and its output: a value in a prompt would be masked.
 */
export const digestStep = (name: string) => ({ run: `printf %s "$${name}" | sha256sum` })
export const digestOf = (value: string) => createHash('sha256').update(value).digest('hex')

/** Lists every file below a folder that holds one of these texts. */
export function filesWith(folder: string, texts: readonly string[]): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .filter((path) => {
      const bytes = readFileSync(path)
      return texts.some((text) => bytes.includes(text))
    })
}

/**
 * Lists the same files without the spools of living agents: their content goes with the agent (guides/secrets.md).
 * The test of fifty secrets reads all files, once the agents are gone.
 */
const keptFilesWith = (folder: string, texts: readonly string[]) =>
  filesWith(folder, texts).filter((path) => !path.startsWith(join(folder, 'keepers')))

export function describeSecrets(open: OpenCarrel, near: Case): void {
  describe('secrets', () => {
    it('B3: a run gets its secrets, the nearest of each name, and the log never has a value', async () => {
      const { carrel, session, workspace, dataFolder } = await open({}, { alone: true })
      const here = await session()
      const there = await session()
      const put = (value: string, more: object = {}, name = 'TOKEN') =>
        carrel.call('secrets.put', { workspace, name, value, ...more })
      await put('workspace-canary-1')
      await put('space-canary-2', { space: here.space.id })
      await put('project-canary-3', { project: here.project })
      await put('others-canary-4', { give: ['codex'] }, 'FOR_OTHERS')
      const steps = [
        print('TOKEN'),
        print('FOR_OTHERS'),
        { stderr: '$TOKEN', expand: true },
        { say: 'it is $TOKEN!', chunks: 4, expand: true },
      ]
      expect((await here.run(steps)).outcome).toBe('completed')
      await there.run([print('TOKEN')])
      const said = JSON.stringify(await here.log())
      expect(said).toContain('got:[secret TOKEN].')
      expect(said).toContain('got:.')
      expect(textOf(await here.items())).toContain('it is [secret TOKEN]!')
      const all = ['workspace-canary-1', 'space-canary-2', 'project-canary-3', 'others-canary-4']
      for (const value of all) expect(said + JSON.stringify(await there.log())).not.toContain(value)
      expect(keptFilesWith(dataFolder, all)).toEqual([])
      const { secrets } = await carrel.call('secrets.list', { workspace })
      expect(secrets).toHaveLength(4)
      expect(JSON.stringify(secrets)).not.toContain('canary')
      expect(secrets.every(({ readable }) => readable)).toBe(true)
    })

    near('B3: a changed value reaches the next run; a removed one is gone, and both stay masked', async () => {
      const { carrel, session, workspace } = await open()
      const one = await session()
      await carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'first-canary' })
      await one.run([digestStep('TOKEN'), { run: 'printf %s "$TOKEN" > kept' }])
      await carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'second-canary' })
      await one.run([digestStep('TOKEN'), { run: 'cat kept' }])
      expect(await carrel.call('secrets.remove', { workspace, name: 'TOKEN' })).toEqual({ removed: true })
      await one.run([digestStep('TOKEN'), { run: 'cat kept' }])
      const said = JSON.stringify(await one.log())
      for (const value of ['first-canary', 'second-canary', '']) expect(said).toContain(digestOf(value))
      expect(said).not.toContain('canary')
      await expect(carrel.call('secrets.remove', { workspace, name: 'TOKEN' })).rejects.toMatchObject({
        code: 'not_found',
      })
    })

    near('B3: text that a person pastes, a question of an agent and an error hold no value', async () => {
      const { carrel, session, workspace, dataFolder } = await open({}, { alone: true })
      const value = 'pasted "canary" / value'
      await carrel.call('secrets.put', { workspace, name: 'PASTED', value })
      const one = await session()
      await one.run(`please use ${value} for it`)
      const { prompt } = await one.prompt([
        { ask: { title: 'May I send $PASTED?' }, expand: true },
        { fail: 'cannot use $PASTED', expand: true },
      ])
      const asked = await one.until('interaction.opened')
      expect(asked.data.question.title).toBe('May I send [secret PASTED]?')
      await one.answer(asked.data.interaction, 'allow-once')
      const ended = (await one.endOf(prompt)).data
      expect(ended.error?.message).toContain('cannot use [secret PASTED]')
      const said = JSON.stringify(await one.log())
      expect(said).toContain('please use [secret PASTED] for it')
      expect(said).not.toContain('canary')
      expect(keptFilesWith(dataFolder, ['"canary"', '\\"canary\\"'])).toEqual([])
    })

    near(
      'B3: a value in a file appears in no diff and no version of it, and files written from them are exact',
      async () => {
        const { carrel, session, workspace } = await open()
        const one = await freely(await session())
        const at = { workspace: one.workspace, project: one.project, path: 'made.txt' }
        await carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'in-a-file-canary' })
        writeFileSync(one.path('made.txt'), 'A=1\nT=none\n')
        const { run } = await one.run([{ run: 'printf "A=1\\nT=%s\\n" "$TOKEN" > made.txt' }])
        const request = { kind: 'undo', of: { kind: 'run', run } } as const
        const diff = await carrel.call('history.diff', { ...at, run })
        expect(diff.hunks[0]?.lines).toEqual([' A=1', '-T=none', '+T=[secret TOKEN]'])
        expect(diff.texts?.after).toBe('A=1\nT=[secret TOKEN]\n')
        expect((await carrel.call('history.file', at)).content).toBe('A=1\nT=[secret TOKEN]\n')
        const planned = await carrel.call('plans.diff', { ...at, request })
        expect(planned.hunks[0]?.lines).toEqual([' A=1', '-T=[secret TOKEN]', '+T=none'])
        const undone = await act(one, request)
        expect(readFileSync(one.path('made.txt'), 'utf8')).toBe('A=1\nT=none\n')
        await act(one, { kind: 'undo', of: { kind: 'act', act: undone.id } })
        expect(readFileSync(one.path('made.txt'), 'utf8')).toBe('A=1\nT=in-a-file-canary\n')
      },
    )

    near(
      'B3: reserved names, short values and unknown scopes are refused, without the value in the message',
      async () => {
        const { carrel, session, workspace } = await open()
        const one = await session()
        const put = (more: object) =>
          carrel.call('secrets.put', { workspace, name: 'TOKEN', value: 'refused-canary', ...more }).then(
            () => 'stored',
            (error) => `${error.code} ${error.message} ${JSON.stringify(error.data)}`,
          )
        const other = (id: string) => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`
        const refused = [
          await put({ name: 'PATH' }),
          await put({ name: 'LD_PRELOAD' }),
          await put({ name: 'CARREL_TOKEN' }),
          await put({ name: 'lower' }),
          await put({ value: 'short' }),
          await put({ value: 'refused-canary\0' }),
          await put({ space: one.space.id, project: one.project }),
          await put({ give: ['nobody-has-this'] }),
        ]
        for (const words of refused) expect(words).toMatch(/^bad_input .*[a-z]/)
        expect(await put({ space: other(one.space.id) })).toMatch(/^not_found /)
        expect(await put({ project: other(one.project) })).toMatch(/^not_found /)
        expect(refused.join()).not.toContain('canary')
      },
    )

    near('B3: a deletion removes the secrets of the deleted scope', async () => {
      const { carrel, session, workspace } = await open()
      const one = await session()
      await carrel.call('secrets.put', { workspace, name: 'A', value: 'space-canary', space: one.space.id })
      await carrel.call('secrets.put', { workspace, name: 'B', value: 'project-canary', project: one.project })
      await carrel.call('secrets.put', { workspace, name: 'C', value: 'workspace-canary' })
      await carrel.call('spaces.delete', { workspace, id: one.space.id, confirm: true })
      const { secrets } = await carrel.call('secrets.list', { workspace })
      expect(secrets.map(({ name }) => name)).toEqual(['C'])
    })

    near('B3: a new key seals all secrets anew, and runs continue', async () => {
      const { carrel, session, workspace } = await open({}, { alone: true })
      const one = await session()
      for (let count = 0; count < 3; count += 1)
        await carrel.call('secrets.put', { workspace, name: `S${count}`, value: `rotated-canary-${count}` })
      const before = await carrel.call('secrets.list', { workspace })
      const done = await carrel.call('secrets.rotate', {})
      expect(done).toMatchObject({ sealed: 3, unreadable: 0 })
      const after = await carrel.call('secrets.list', { workspace })
      expect(after.secrets.map(({ key }) => key)).toEqual([done.key, done.key, done.key])
      expect(before.secrets.map(({ key }) => key)).not.toContain(done.key)
      await one.run([digestStep('S1')])
      expect(JSON.stringify(await one.log())).toContain(digestOf('rotated-canary-1'))
    })
  })
}
