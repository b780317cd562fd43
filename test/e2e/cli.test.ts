import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

const OUTCOMES = [
  ['completes', 'completed', 0, { say: 'fine' }],
  ['fails', 'failed', 1, { fail: 'the model is away' }],
  ['crashes', 'failed', 1, { crash: 3 }],
  ['refuses', 'refused', 1, { stop: 'refusal' }],
] as const

describe('carrel with a server', () => {
  let world: CliWorld
  let folder: string
  let server: Awaited<ReturnType<CliWorld['serve']>>
  beforeAll(async () => {
    world = openCliWorld()
    folder = world.folder('shop')
    server = await world.serve()
  })
  afterAll(() => world.close())

  it('run makes the Space of the current folder and separates the agent’s text from other output', async () => {
    const done = await world.carrel(['run', '-a', 'scripted', script({ think: 'hm' }, { say: 'one two', chunks: 2 })], {
      cwd: folder,
    })
    expect(done).toMatchObject({ exit: 0, stdout: 'one two\n' })
    expect(done.stderr).toContain(`New Space shop for ${folder}`)
    expect(done.stderr).toContain('hm')
    expect(done.stderr).toContain('Completed')
    const { spaces } = (await world.carrel(['spaces', 'list', '--json'])).json()
    expect(spaces).toMatchObject([{ folder, kind: 'folder' }])
  })

  it.each([
    ['surroundings', 'env'],
    ['contention', 'file-rules'],
    ['places', 'copies'],
  ])('the old command %s says that it is %s now', async (old, now) => {
    const { exit, stderr } = await world.carrel([old, 'list'])
    expect([exit, stderr]).toEqual([64, expect.stringContaining(`The command is called \`carrel ${now}\` now.`)])
  })

  it.each(OUTCOMES)('a run that %s is %s, and the exit code says so', async (_, outcome, exit, step) => {
    const done = await world.carrel(['run', '--json', '-a', 'scripted', script(step)], { cwd: folder })
    expect(done.lines().at(-1)).toMatchObject({ type: 'result', outcome, state: 'ended', repeated: false })
    expect(done.exit).toBe(exit)
  })

  it('run --json prints the stored events and then the result', async () => {
    const done = await world.carrel(['run', '--json', '-a', 'scripted', script({ say: 'hello' })], { cwd: folder })
    const lines = done.lines()
    const result = lines.at(-1)
    const events = lines.slice(0, -1)
    expect(result).toMatchObject({ outcome: 'completed', text: 'hello' })
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1))
    expect(events.at(-1)).toMatchObject({ type: 'run.ended', session: result.session, run: result.run })
    const log = await world.carrel(['log', result.session, '--json'])
    expect(log.lines().slice(0, events.length)).toEqual(events)
  })

  it('search finds texts of a session, and marks the place', async () => {
    await world.carrel(['run', '-a', 'scripted', script({ say: 'an unmistakable sentence' })], { cwd: folder })
    // Results of a run are found a moment after its end.
    const search = () => world.carrel(['search', 'unmistakable', 'sent', '--json'])
    await expect.poll(async () => (await search()).json().hits.length, { timeout: 30_000 }).toBe(2)
    const { hits } = (await search()).json()
    const { session, n } = hits.find(({ kind }: { kind: string }) => kind === 'message')
    const seen = await world.carrel(['search', 'unmistakable', 'sent', '--session', session])
    expect(seen.stdout).toContain(`${session} ${n}  message, `)
    expect(seen.stdout).toContain('\n  an unmistakable sentence\n')
    expect(await world.carrel(['search', 'nowhere-to-be-found'])).toMatchObject({ exit: 0, stdout: '' })
  })

  it('--continue continues the last session, --session the named one', async () => {
    const first = (
      await world.carrel(['run', '--json', '-a', 'scripted', script({ say: 'a' })], { cwd: folder })
    ).lines()
    const { session } = first.at(-1)
    const again = await world.carrel(['run', '--json', '-c', script({ say: 'b' })], { cwd: join(folder) })
    const named = await world.carrel(['run', '--json', '--session', session, script({ say: 'c' })])
    expect(again.lines().at(-1)).toMatchObject({ session, text: 'b' })
    expect(named.lines().at(-1)).toMatchObject({ session, text: 'c' })
  })

  it('I1: a question is answered from another terminal, once', async () => {
    const run = world.start(['run', '-a', 'scripted', script({ write: 'a.txt', content: 'x' }, { say: 'written' })], {
      cwd: folder,
    })
    const [, id = ''] = await run.until(/carrel answer (int_\w+) 1/)
    const inbox = await world.carrel(['inbox'])
    expect(inbox.stdout).toContain(id)
    expect((await world.carrel(['inbox', '--json'])).json().interactions).toMatchObject([{ id, state: 'open' }])
    const wrong = await world.carrel(['answer', id, 'perhaps'])
    expect(wrong).toMatchObject({ exit: 64 })
    expect(wrong.stderr).toContain('1 Allow')
    expect(await world.carrel(['answer', id, 'allow'])).toMatchObject({ exit: 0 })
    expect(await run.ended).toMatchObject({ exit: 0, stdout: 'written\n' })
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('x')
    const late = await world.carrel(['answer', id, '3', '--json'])
    expect(late.exit).toBe(65)
    expect(JSON.parse(late.stderr).error.code).toBe('already_answered')
    expect((await world.carrel(['inbox'])).stdout).toBe('')
  })

  it('a form is answered with values', async () => {
    const schema = { type: 'object', properties: { branch: { type: 'string' } }, required: ['branch'] }
    const run = world.start(['run', '-a', 'scripted', script({ form: { message: 'Which branch?', schema } })], {
      cwd: folder,
    })
    const [, id = ''] = await run.until(/carrel answer (int_\w+) --values/)
    expect((await world.carrel(['answer', id, '--values', '{branch}'])).exit).toBe(64)
    expect((await world.carrel(['answer', id, '--values', '{"branch":"main"}'])).exit).toBe(0)
    const done = await run.ended
    expect(done.exit).toBe(0)
    expect(done.stdout).toContain('main')
  })

  it('P2: Ctrl-C cancels the run; a run that is no longer watched continues and is cancelled by its id', async () => {
    const hanging = script({ say: 'begun' }, { sleep: 600_000 })
    const first = world.start(['run', '-a', 'scripted', hanging], { cwd: folder })
    await first.until(/begun/)
    expect((await world.carrel(['ps'])).stdout).toMatch(/run_\w+\s+Running\s+scripted/)
    first.child.kill('SIGINT')
    expect(await first.ended).toMatchObject({ exit: 130 })

    const second = world.start(['run', '--timeout', '3s', '-a', 'scripted', hanging], { cwd: folder })
    const left = await second.ended
    expect(left.exit).toBe(124)
    expect(left.stderr).toContain('The run continues')
    const { runs } = (await world.carrel(['ps', '--json'])).json()
    expect(runs).toHaveLength(1)
    expect((await world.carrel(['cancel', runs[0].id])).exit).toBe(0)
    const log = world.start(['log', runs[0].session, '--follow', '--json'])
    await log.until(/"type":"run.ended".*"outcome":"cancelled"/)
    log.child.kill('SIGINT')
    const ended = await log.ended
    expect(ended.exit).toBe(0)
    expect(ended.lines().map(({ seq }) => seq)).toEqual(ended.lines().map((_, at) => at + 1))
    expect((await world.carrel(['ps'])).stderr).toContain('No active runs')
  })

  it('log --follow prints later events', async () => {
    const made = await world.carrel(['sessions', 'create', '-a', 'scripted', '--name', 'Watched'], { cwd: folder })
    const session = made.stdout.trim()
    const log = world.start(['log', session, '--follow'])
    await world.carrel(['run', '--session', session, script({ say: 'seen elsewhere' })])
    await log.until(/seen elsewhere[\s\S]*Completed/)
    log.child.kill('SIGINT')
    expect((await log.ended).exit).toBe(0)
    const after = await world.carrel(['log', session, '--json', '--after', '2'])
    expect(after.lines()[0]).toMatchObject({ seq: 3, session })
  })

  it('attach sends the lines of its input in their order and ends when all are done', async () => {
    const made = await world.carrel(['sessions', 'create', '-a', 'scripted'], { cwd: folder })
    // The first answer takes longest: sent at once, the others would arrive before it.
    const answers = ['first', 'second', 'third', 'fourth']
    const input = 'long '.repeat(200_000) + answers.map((say) => `${script({ say })}\n`).join('')
    const told = (text: string) =>
      text
        .replaceAll(/ after .*/g, '')
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('>'))
    const inOrder = answers.flatMap((answer) => [answer, 'Completed'])
    const done = await world.carrel(['attach', made.stdout.trim()], { input })
    expect(done.exit).toBe(0)
    expect(told(done.stdout)).toEqual(inOrder)
    // Earlier events appear in their order.
    const again = await world.carrel(['attach', made.stdout.trim()])
    expect(told(again.stdout)).toEqual(inOrder)
    expect(again.stdout.match(/^> /gm)).toHaveLength(4)
  })

  it('run reads its prompt from stdin, and --wait accepted returns at once', async () => {
    const input = script({ say: 'from a pipe' })
    expect(await world.carrel(['run', '-a', 'scripted', '-'], { cwd: folder, input })).toMatchObject({
      exit: 0,
      stdout: 'from a pipe\n',
    })
    const done = await world.carrel(['run', '--json', '--wait', 'accepted', '-a', 'scripted', input], { cwd: folder })
    expect(done.json()).toMatchObject({ type: 'result', outcome: null, session: expect.stringMatching(/^ses_/) })
  })

  it('the tree: make, rename, fork, archive, and delete only with --yes', async () => {
    const json = async (...args: string[]) => (await world.carrel([...args, '--json'])).json()
    const { space } = await json('spaces', 'create', '--blank', '--name', 'Sandbox')
    const project = await json('projects', 'create', 'Idea', '--space', space.id)
    const session = await json('sessions', 'create', '--project', project.id, '-a', 'scripted', '--name', 'Talk')
    await world.carrel(['run', '--session', session.id, script({ say: 'hi' })])
    expect(await json('sessions', 'rename', session.id, 'Better', 'name')).toMatchObject({ name: 'Better name' })
    expect(await json('sessions', 'fork', session.id)).toMatchObject({ forkedFrom: { session: session.id } })
    expect((await json('sessions', 'list', '--space', 'Sandbox')).sessions).toHaveLength(2)
    await json('sessions', 'archive', session.id)
    expect((await json('sessions', 'list', '--space', 'Sandbox')).sessions).toHaveLength(1)

    const preview = await world.carrel(['spaces', 'delete', space.id])
    expect(preview).toMatchObject({ exit: 0 })
    expect(preview.stdout).toMatch(/Would delete: 1 Space, 2 projects, 2 sessions, \d+ events/)
    expect(preview.stdout).toContain(space.folder)
    expect(existsSync(space.folder)).toBe(true)
    expect(await json('spaces', 'delete', space.id, '--yes')).toMatchObject({ deleted: true })
    expect(existsSync(space.folder)).toBe(false)
  })

  it('a rule answers in the user’s place', async () => {
    const rule = (await world.carrel(['rules', 'add', 'deny', '--kind', 'edit', '--path', 'b.txt', '--json'])).json()
    const prompt = script({ write: 'b.txt', content: 'x' })
    const done = await world.carrel(['run', '-a', 'scripted', prompt], { cwd: folder })
    expect(done.stderr).toContain('Denied by a rule')
    expect(existsSync(join(folder, 'b.txt'))).toBe(false)
    expect((await world.carrel(['rules', 'list'])).stdout).toContain('b.txt')
    expect((await world.carrel(['rules', 'move', rule.id])).stdout).toContain('Moved')
    expect((await world.carrel(['rules', 'remove', rule.id])).exit).toBe(0)
    expect((await world.carrel(['rules', 'list', '--json'])).json()).toEqual({ rules: [] })
  })

  it('B1: another workspace has no access', async () => {
    await world.carrel(['workspaces', 'create', 'other'])
    const { sessions } = (await world.carrel(['sessions', 'list', '--json'])).json()
    expect(sessions.length).toBeGreaterThan(0)
    expect((await world.carrel(['-w', 'other', 'sessions', 'list', '--json'])).json().sessions).toEqual([])
    expect((await world.carrel(['-w', 'other', 'log', sessions[0].id])).exit).toBe(66)
  })

  it('S5: a second server on the data folder is refused with a message', async () => {
    const second = await world.carrel(['serve', '--port', '0'])
    expect(second.exit).toBe(69)
    expect(second.stderr).toContain(`Carrel already uses the data folder ${world.data}`)
    expect(second.stderr).toContain(server.url)
  })

  it('B2: the server file is for its owner and holds no secret; open prints the login', async () => {
    const file = join(world.data, 'server.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      url: server.url,
      pid: expect.any(Number),
      startedAt: expect.any(Number),
      folder: expect.stringMatching(/^\d+:\d+$/),
    })
    expect((await world.carrel(['open', '--print'])).stdout.trim()).toBe(server.loginUrl)
    const token = readFileSync(join(world.data, 'token'), 'utf8').trim()
    const far = { CARREL_DATA_FOLDER: join(world.data, 'elsewhere'), CARREL_URL: server.url, CARREL_TOKEN: token }
    expect((await world.carrel(['spaces', 'list', '--json'], { env: far })).exit).toBe(0)
    expect((await world.carrel(['ps'], { env: { ...far, CARREL_TOKEN: 'wrong' } })).exit).toBe(77)
  })

  it('agents and doctor answer', async () => {
    const { agents } = (await world.carrel(['agents', '--json'])).json()
    expect(agents.map(({ id }: { id: string }) => id)).toContain('scripted')
    expect((await world.carrel(['agents'])).stdout).toContain('scripted')
    const { findings } = (await world.carrel(['doctor', '--json'])).json()
    expect(findings.length).toBeGreaterThan(0)
  })
})
