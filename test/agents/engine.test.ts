import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { codex, missingAgents, qwen } from './recipes.ts'
import { commandLine, openWalk, type Walk } from './walk.ts'

const missing = missingAgents()

/** Builds a prompt that tells the scripted model its answer. */
const script = (words: string, ...steps: unknown[]) => `${words} @@fake ${JSON.stringify(steps)} @@end`

/** Sends a prompt for an endless answer and waits until its beginning is in the transcript. */
async function midway(session: TestSession, words: string) {
  const { prompt } = await session.prompt(script(words, { text: 'cut short', chunks: 1, hang: true }))
  await session.until('agent.update', ({ data }) => /agent_message_chunk.*cut short/.test(JSON.stringify(data.update)))
  return prompt
}

const asked = (session: TestSession) => session.until('interaction.opened')

async function allow(session: TestSession) {
  const { data } = await asked(session)
  const option = data.question.options.find(({ kind }) => kind === 'allow_once')
  if (!option) throw new Error(`no option to allow once: ${JSON.stringify(data.question.options)}`)
  await session.answer(data.interaction, option.id)
}

const cancel = ({ carrel, workspace, id }: TestSession) => carrel.call('sessions.cancel', { workspace, id })

/** Checks rules that hold for every transcript, whatever the agent and however often it was loaded. */
async function expectSane(session: TestSession) {
  const items = await session.items()
  const tools = items.filter((item) => item.kind === 'tool')
  const calls = tools.map(({ run, toolCallId }) => `${run} ${toolCallId}`)
  expect(new Set(calls).size, 'each tool call is one item').toBe(calls.length)
  for (const { title, toolKind, status } of tools) {
    expect(title).not.toBe('')
    expect(toolKind).toMatch(/^(edit|execute|read|search|other)$/)
    expect(['pending', 'in_progress']).not.toContain(status)
  }
  expect(items.filter((item) => item.kind === 'raw')).toEqual([])
  return items
}

/** Checks that a third prompt is answered, and that the agent sent the model the first turn with it. */
async function expectMemory(session: TestSession, { model }: Walk) {
  expect(await session.run(script('the third request', { text: 'the third answer' }))).toMatchObject({
    outcome: 'completed',
  })
  const sent = (await model.requests()).findLast(({ conversation }) =>
    conversation.join().includes('the third request'),
  )
  // Qwen writes its own record late: of an answer shortly before a kill it may keep the request only.
  expect(sent?.conversation.join('\n')).toMatch(/user: .*the first request.*the third request/s)
  const items = await expectSane(session)
  expect(textOf(items).match(/the first answer/g)).toHaveLength(1)
  expect((await session.eventsOf('context.opened')).map(({ data }) => data.how)).toEqual(['new', 'resumed'])
}

/** Counts the requests of this session that the model refused. */
async function outOfOrder({ model }: Walk, { folder }: TestSession): Promise<number> {
  const requests = await model.requests()
  return requests.filter(
    ({ reply, conversation }) => JSON.stringify(reply).includes('out of order') && conversation.join().includes(folder),
  ).length
}

describe.skipIf(missing !== null).each([
  { name: 'codex', make: codex, retries: () => false },
  { name: 'qwen', make: qwen, retries: (status: number) => status >= 500 },
])(`$name through Carrel (${missing ?? 'installed'})`, ({ make, retries }) => {
  let walk: Walk
  beforeAll(async () => {
    walk = await openWalk(make)
  })
  afterAll(() => walk.close())

  it('edits a file after a person allows it', async () => {
    const session = await walk.newSession()
    const path = session.path('made.txt')
    const { prompt } = await session.prompt(
      script('make a file', { tool: 'write', path, content: 'made by an agent\n' }, { text: 'all done' }),
    )
    const { data } = await asked(session)
    expect(existsSync(path)).toBe(false)
    expect(data.question).toMatchObject({ kind: 'permission', paths: [path] })
    await allow(session)
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(readFileSync(path, 'utf8').trim()).toBe('made by an agent')
    const items = await expectSane(session)
    expect(textOf(items)).toBe('all done')
    const tools = items.filter((item) => item.kind === 'tool')
    expect(tools).toMatchObject([{ toolKind: 'edit', status: 'completed' }])
    // Qwen gives the last part of the path only.
    const diff = { type: 'diff', path: expect.stringMatching(/made\.txt$/), newText: 'made by an agent\n' }
    expect(tools[0]?.content).toContainEqual(expect.objectContaining(diff))
  })

  it("F2: writes of its tool and its shell are its own, a person's writes in between are theirs; an undo respects both", async () => {
    const session = await walk.newSession()
    const at = { workspace: session.workspace, project: session.project }
    const list = session.path('list.txt')
    writeFileSync(list, 'one\ntwo\nthree\nfour\nfive\n')
    const tool = script(
      'write',
      { tool: 'write', path: session.path('made.txt'), content: 'by a tool\n' },
      { text: 'ok' },
    )
    const first = await session.prompt(tool)
    await allow(session)
    expect((await session.endOf(first.prompt)).data.outcome).toBe('completed')
    writeFileSync(session.path('people.txt'), 'by a person\n')
    const command = `sed -i s/two/TWO/ ${list}; rm ${session.path('made.txt')}; echo shell > ${session.path('shell.txt')}`
    const asks = (await session.eventsOf('interaction.opened')).length
    const second = await session.prompt(script('run it', { tool: 'bash', command, escalate: true }, { text: 'ran' }))
    await eventually('the agent asks', async () => (await session.eventsOf('interaction.opened')).length > asks)
    const { data } = (await session.eventsOf('interaction.opened')).at(-1) ?? {}
    const option = data?.question.options.find(({ kind }) => kind === 'allow_once')
    if (data) await session.answer(data.interaction, option?.id ?? '')
    const ended = (await session.endOf(second.prompt)).data
    expect(ended.outcome).toBe('completed')
    const authorOf = async (path: string) => {
      const { changes } = await session.carrel.call('history.path', { ...at, path })
      return changes.map(({ author }) => (author.kind === 'run' ? author.run : author.kind))
    }
    const firstRun = (await session.endOf(first.prompt)).data.run
    expect(await authorOf('made.txt')).toEqual([ended.run, firstRun])
    expect(await authorOf('people.txt')).toEqual(['outside'])
    expect(await authorOf('list.txt')).toEqual([ended.run])
    expect(await authorOf('shell.txt')).toEqual([ended.run])
    // A person continues in the same file; the undo of the run removes the run's line only.
    writeFileSync(list, readFileSync(list, 'utf8').replace('five', 'FIVE'))
    const request = { kind: 'undo', of: { kind: 'run', run: ended.run } } as const
    const { digest } = await session.carrel.call('plans.make', { ...at, request })
    const done = await session.carrel.call('plans.apply', { ...at, request, digest })
    expect(done.written).toEqual(['list.txt', 'made.txt', 'shell.txt'])
    expect(readFileSync(list, 'utf8')).toBe('one\ntwo\nthree\nfour\nFIVE\n')
    expect(readFileSync(session.path('made.txt'), 'utf8').trim()).toBe('by a tool')
    expect(existsSync(session.path('shell.txt'))).toBe(false)
    expect(readFileSync(session.path('people.txt'), 'utf8')).toBe('by a person\n')
  })

  it('an answer from the command line reaches it', async () => {
    const session = await walk.newSession()
    const path = session.path('made.txt')
    const { prompt } = await session.prompt(
      script('make a file', { tool: 'write', path, content: 'made by an agent\n' }, { text: 'all done' }),
    )
    const { interaction, question } = (await asked(session)).data
    expect(await walk.carrel('inbox')).toContain(interaction)
    const option = question.options.find(({ kind }) => kind === 'allow_once')
    await walk.carrel('answer', interaction, option?.id ?? '')
    expect((await session.endOf(prompt)).data.outcome).toBe('completed')
    expect(existsSync(path)).toBe(true)
    const [answered] = await session.eventsOf('interaction.answered')
    expect(answered?.data.by).toMatchObject({ face: 'cli' })
  })

  it('P2: a cancel stops it in the middle of its answer', async () => {
    const session = await walk.newSession()
    const prompt = await midway(session, 'talk')
    await cancel(session)
    expect((await session.endOf(prompt)).data.outcome).toBe('cancelled')
    expect((await session.run(script('again', { text: 'after the cancel' }))).outcome).toBe('completed')
    expect(textOf(await expectSane(session))).toBe('cut shortafter the cancel')
  })

  it('P2: a cancel ends its running command', async () => {
    const session = await walk.newSession()
    const started = session.path('started')
    const command = `touch ${started}; sleep 4242`
    const { prompt } = await session.prompt(
      script('run it', { tool: 'bash', command, escalate: true }, { text: 'ran' }),
    )
    expect((await asked(session)).data.question.command).toContain(command)
    await allow(session)
    await eventually('the command is running', () => existsSync(started))
    await cancel(session)
    const cancelledAt = performance.now()
    const sleeping = () => walk.processes().filter((pid) => commandLine(pid)[1] === '4242')
    await eventually('the command is gone', () => sleeping().length === 0, 3_000 - (performance.now() - cancelledAt))
    expect((await session.endOf(prompt)).data.outcome).toBe('cancelled')
    expect((await session.run(script('again', { text: 'after the cancel' }))).outcome).toBe('completed')
    await expectSane(session)
  })

  it('killed in the middle of its answer, it remembers in a new process', async () => {
    const session = await walk.newSession()
    await session.run(script('the first request', { text: 'the first answer' }))
    const prompt = await midway(session, 'the second request')
    walk.killAgent()
    const { outcome, error } = (await session.endOf(prompt)).data
    expect(outcome).toBe('failed')
    expect(error?.message).toMatch(/ended in the middle of its work/)
    await expectMemory(session, walk)
  })

  it('L4, P1: remembers after a kill of the server in the middle of its answer', async () => {
    const before = await walk.newSession()
    await before.run(script('the first request', { text: 'the first answer' }))
    const prompt = await midway(before, 'the second request')
    const pids = walk.processes()
    await walk.killServer()
    const session = (await walk.restart())(before)
    expect((await session.endOf(prompt)).data.outcome).toBe('lost')
    expect(walk.processes().filter((pid) => pids.includes(pid))).toEqual([])
    await expectMemory(session, walk)
    expect(textOf(await session.items())).toContain('cut short')
  })

  it.each(['the server', 'the agent', 'both'])('I2, I3: an answer outlives %s', async (who) => {
    let session = await walk.newSession()
    const path = session.path('made.txt')
    const steps = [{ tool: 'write', path, content: 'made once\n' }, { text: 'all done' }]
    await walk.model.rules([{ match: 'Go on with the task', steps }])
    const { prompt } = await session.prompt(script('make a file', ...steps))
    const { data, seq } = await asked(session)
    if (who !== 'the server') walk.killAgent()
    if (who === 'the agent') await session.until('run.parked', undefined, seq)
    if (who !== 'the agent') {
      await walk.killServer()
      session = (await walk.restart())(session)
    }
    await allow(session)
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(readFileSync(path, 'utf8').trim()).toBe('made once')
    expect(await session.eventsOf('interaction.opened')).toHaveLength(1)
    expect((await session.eventsOf('grant.used')).map((used) => used.data.interaction)).toEqual([data.interaction])
    const items = await expectSane(session)
    expect(items.filter((item) => item.kind === 'tool' && item.status === 'completed')).toHaveLength(1)
    expect(textOf(items)).toBe('all done')
  })

  it.each([400, 500])('reports that its model answers %i, or can be cancelled while it retries', async (status) => {
    const session = await walk.newSession()
    const error = { status, message: 'the model is out of order' }
    const { prompt } = await session.prompt(script(`try in ${session.folder}`, { error }))
    if (retries(status)) {
      await eventually('the agent retries', async () => (await outOfOrder(walk, session)) > 1)
      await cancel(session)
    }
    const ended = (await session.endOf(prompt)).data
    expect(ended.outcome).toBe(retries(status) ? 'cancelled' : 'failed')
    // Codex has its own text for a server's error, and passes on the error of a bad request.
    if (status === 400) expect(ended.error?.message).toContain('out of order')
    else if (!retries(status)) expect(ended.error?.message).toMatch(/./)
    expect((await session.run(script('again', { text: 'in order' }))).outcome).toBe('completed')
    await expectSane(session)
  })

  it('P1: leaves no process behind', async () => {
    await walk.stop()
    expect(walk.processes()).toEqual([])
  })
})
