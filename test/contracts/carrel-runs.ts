import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView } from '../../src/model/events/view.ts'
import type { SessionId } from '../../src/model/ids.ts'
import { eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { scriptedAgent } from '../support/carrel-world.ts'
import { inLongRuns } from '../support/long.ts'
import type { Case, OpenCarrel } from './carrel.ts'

/** Checks that the view matches the log (L9), numbered without gaps (L1), with one end for each run (L4). */
export async function expectWhole(session: TestSession): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const log = await session.log()
    const [stored, seen] = [await session.items(), await session.view()]
    // An afterword may come between two readings.
    if ((await session.log()).length !== log.length && tries < 100) continue
    return expectFolded(log, stored, seen)
  }
}

function expectFolded(log: readonly Event[], stored: unknown, seen: unknown): void {
  expect(log.map((event) => event.seq)).toEqual(log.map((_, index) => index + 1))
  const items = new Map<number, Item>()
  const { view } = foldAll(emptyView(log[0]?.session as SessionId), log, items)
  expect(stored).toEqual([...items.values()].sort((a, b) => a.n - b.n).slice(-500))
  expect(seen).toEqual(view)
  const ends = log.flatMap((event) => (event.type === 'run.ended' ? [event.data.run] : []))
  expect(new Set(ends).size).toBe(ends.length)
}

/** Quirks that stand for the others in `npm test`: order, repetition, and lines that are no message. */
const FIRST_QUIRKS = ['update_before_create', 'dup_tool_call', 'garbage']
const QUIRKS = [
  'update_before_create',
  'ask_before_create',
  'no_kind',
  'dup_tool_call',
  'late_updates',
  'early_updates',
  'unknown_request',
  'garbage',
]

export function describeRuns(open: OpenCarrel, near: Case): void {
  describe('a run', () => {
    near(
      'L9: an idle session is folded again from its log and stays the same; a running one is not folded again',
      async () => {
        const world = await open()
        const session = await world.session()
        await session.run([{ say: 'one two', chunks: 2 }, { plan: ['look'] }])
        const before = await session.items()
        const input = { workspace: world.workspace, id: session.id }
        const log = await session.log()
        // The session is idle a moment after the end of its run: the holder stores the fold first.
        await eventually(
          'the session is idle',
          async () => (await world.carrel.call('sessions.rebuild', input).catch(() => null))?.seq === log.length,
        )
        expect(await session.items()).toEqual(before)
        const { prompt, seq } = await session.prompt([{ gate: session.path('gate') }])
        await session.until('run.started', undefined, seq)
        await expect(world.carrel.call('sessions.rebuild', input)).rejects.toMatchObject({ code: 'busy' })
        session.open('gate')
        await session.endOf(prompt)
      },
    )

    it('L9: streamed text, thoughts, plan, tools and unknown updates become items equal to the fold', async () => {
      const world = await open()
      const session = await world.session()
      writeFileSync(session.path('notes.txt'), 'remember the milk')
      const ended = await session.run([
        { think: 'let me see', chunks: 2 },
        { say: 'one two three four five six', chunks: 6, messageId: 'm1' },
        { plan: ['look', 'tell'] },
        { read: 'notes.txt' },
        { list: '.' },
        { run: 'echo heard' },
        { update: { sessionUpdate: 'dream_update', dream: { of: 'sheep' } } },
        { say: ' seven', messageId: 'm2' },
        { usage: { used: 10, size: 100 } },
      ])
      expect(ended).toMatchObject({ outcome: 'completed', stopReason: 'end_turn', error: null, halfDone: [] })
      const items = await session.items()
      expect(items.map((item) => item.kind)).toEqual([
        ...['run', 'thought', 'message', 'plan', 'tool', 'tool', 'tool', 'raw', 'message'],
      ])
      expect(textOf(items)).toBe('one two three four five six seven')
      const tools = items.filter((item) => item.kind === 'tool')
      expect(tools.map((tool) => [tool.toolKind, tool.status])).toEqual([
        ['read', 'completed'],
        ['read', 'completed'],
        ['execute', 'completed'],
      ])
      expect(JSON.stringify(tools[0]?.content)).toContain('remember the milk')
      expect(JSON.stringify(tools[2]?.content)).toContain('heard')
      expect(items.find((item) => item.kind === 'raw')).toMatchObject({
        name: 'dream_update',
        update: { dream: { of: 'sheep' } },
      })
      expect((await session.row()).lastRun?.outcome).toBe('completed')
      await expectWhole(session)
    })

    near('L9: a page of items that begins within a run brings the run along, in its current state', async () => {
      const world = await open()
      const session = await world.session()
      const at = { workspace: world.workspace, id: session.id }
      const newest = () => world.carrel.call('sessions.view', { ...at, limit: 1 })
      await session.run('an earlier run')
      const talk = [{ say: 'one' }, { think: 'two' }, { say: 'three' }, { think: 'four' }]
      const { prompt, seq } = await session.prompt([...talk, { gate: session.path('gate') }])
      await session.until('agent.update', ({ data }) => JSON.stringify(data).includes('four'), seq)
      const before = (await session.items()).findLast(({ kind }) => kind === 'run')
      expect(before).toMatchObject({ state: 'started', prompt })
      const page = await newest()
      expect([page.items.length, page.head]).toEqual([1, before])
      session.open('gate')
      await session.endOf(prompt)
      const items = await session.items()
      const run = items.findLast((item) => item.kind === 'run')!
      expect(run).toMatchObject({ state: 'ended', outcome: 'completed' })
      expect((await newest()).head).toEqual(run)
      const older = (oldest: number, limit: number) =>
        world.carrel.call('sessions.items', { ...at, before: oldest, limit })
      const within = items.indexOf(run) + 2
      expect((await older(items[within]!.n, 1)).head).toEqual(run)
      // The run itself is the oldest item, or the page is of the run before.
      expect((await older(items[within]!.n, 2)).head).toBe(null)
      expect((await older(run.n, 1)).head).toEqual(items[0])
    })

    near('I2: an allowed edit is on disk; a refused one is not', async () => {
      const world = await open()
      const session = await world.session()
      const yes = await session.prompt([{ write: 'yes.txt', content: 'allowed' }, { say: 'done' }])
      const first = await session.until('interaction.opened')
      expect(existsSync(session.path('yes.txt'))).toBe(false)
      expect(await session.row()).toMatchObject({ state: 'waiting', questions: 1 })
      expect(first.data.question).toMatchObject({
        kind: 'permission',
        toolKind: 'edit',
        paths: [session.path('yes.txt')],
      })
      await session.answer(first.data.interaction, 'allow-once')
      expect((await session.endOf(yes.prompt)).data.outcome).toBe('completed')
      expect(readFileSync(session.path('yes.txt'), 'utf8')).toBe('allowed')
      const no = await session.prompt([{ write: 'no.txt', content: 'refused' }, { say: 'well' }])
      const second = await session.until('interaction.opened', () => true, first.seq)
      await session.answer(second.data.interaction, 'reject-once')
      expect((await session.endOf(no.prompt)).data.outcome).toBe('completed')
      expect(existsSync(session.path('no.txt'))).toBe(false)
      const tools = (await session.items()).filter((item) => item.kind === 'tool')
      expect(tools.map((tool) => tool.status)).toEqual(['completed', 'failed'])
      expect((await session.items()).filter((item) => item.kind === 'question')).toMatchObject([
        { used: true },
        { used: true },
      ])
      await expectWhole(session)
    })

    const odd = QUIRKS.map((quirk) => scriptedAgent(`odd-${quirk}`, { env: { SCRIPTED_QUIRKS: quirk } }))
    const actsOddly = async (quirk: string) => {
      const world = await open({ agents: odd })
      const session = await world.session({ agent: `odd-${quirk}` })
      const { prompt } = await session.prompt([{ write: 'file.txt', content: 'x' }, { say: 'done' }])
      const asked = await session.until('interaction.opened')
      await session.answer(asked.data.interaction, 'allow-once')
      const ended = await session.endOf(prompt)
      expect(ended.data).toMatchObject({ outcome: 'completed', error: null })
      expect(await session.item('tool')).toMatchObject({ status: 'completed', title: 'Write file.txt' })
      expect(readFileSync(session.path('file.txt'), 'utf8')).toBe('x')
      // Updates after an answer appear in the next run, which is live by then: the agent speaks 20 ms late.
      expect((await session.run([{ sleep: 40 }, { say: 'again' }])).outcome).toBe('completed')
      if (quirk === 'late_updates') expect(textOf(await session.items())).toContain('late')
      await expectWhole(session)
    }
    for (const quirk of QUIRKS) {
      const register = FIRST_QUIRKS.includes(quirk) ? near : inLongRuns
      register(`L9: an agent with the quirk ${quirk} still makes one tool call and one file`, () => actsOddly(quirk))
    }

    near('L5: a caller waits for accepted, started or ended', async () => {
      const world = await open()
      const session = await world.session()
      const gated = [{ gate: 'go' }, { say: 'the end' }]
      const accepted = await session.prompt(gated)
      expect(accepted).toMatchObject({ state: 'accepted', run: null, repeated: false })
      expect((await session.log())[accepted.seq - 1]).toMatchObject({ type: 'prompt.requested' })
      session.open('go')
      await session.endOf(accepted.prompt)
      const started = await session.prompt([{ gate: 'go-2' }, { say: 'the end' }], { wait: 'started' })
      expect(started).toMatchObject({ state: 'started', outcome: null })
      expect(await session.runs()).toMatchObject([{ id: started.run, state: 'started' }, { state: 'ended' }])
      // A caller that stops waiting changes nothing: the run continues and ends well.
      const waited = await session.prompt([{ say: 'third' }], { wait: 'ended', timeoutMs: 0 })
      expect(waited.state).toBe('accepted')
      session.open('go-2')
      expect((await session.endOf(waited.prompt)).data.outcome).toBe('completed')
      const ended = await session.prompt([{ read: 'go' }, { say: 'last words', chunks: 2 }], { wait: 'ended' })
      expect(ended).toMatchObject({ state: 'ended', outcome: 'completed', text: 'last words' })
      const changing = [{ write: 'a.txt', content: 'a', ask: false }, { say: 'Wrote it.' }]
      const wrote = await session.prompt(changing, { wait: 'ended', key: 'wrote' })
      expect(wrote).toMatchObject({ state: 'ended', text: 'Wrote it.' })
      expect((await session.items()).at(-1)).toMatchObject({ kind: 'files', run: wrote.run })
      // More items come behind it than one reading has.
      await session.run(Array.from({ length: 60 }, () => [{ say: 'more' }, { read: 'a.txt' }]).flat())
      const again = await session.prompt(changing, { wait: 'ended', key: 'wrote' })
      expect(again).toMatchObject({ repeated: true, text: 'Wrote it.' })
      await expectWhole(session)
    })

    near('a run whose agent is ready is admitted and started in one commit, and each event is sent once', async () => {
      const world = await open()
      const session = await world.session()
      await session.run([{ say: 'one' }])
      await session.run([{ say: 'two' }])
      const steps = (await session.log()).filter(({ type }) => type === 'run.admitted' || type === 'run.started')
      expect(steps.map(({ type }) => type)).toEqual(['run.admitted', 'run.started', 'run.admitted', 'run.started'])
      const [, , admitted, started] = steps
      expect(started).toMatchObject({ seq: (admitted?.seq ?? 0) + 1, at: admitted?.at, run: admitted?.run })
      const said = (await session.items()).flatMap((item) =>
        item.kind === 'message' && item.role === 'agent' ? [item.text] : [],
      )
      expect(said).toEqual(['one', 'two'])
      await expectWhole(session)
    })

    near(
      'a prompt to a ready agent may bring its run along in one commit; each other request meanwhile is sent once too',
      async () => {
        const world = await open({}, { alone: true })
        const session = await world.session()
        const told = ['first']
        await session.run([{ say: 'first' }])
        for (let n = 0, together = false; !together; n += 1) {
          const words = `${n}`
          told.push(words)
          const rests = async () => (await session.carrel.call('server.status', {})).liveRuns === 0
          await eventually('the session is put to rest', rests)
          const { seq, prompt } = await session.prompt([{ say: words }], { wait: 'ended' })
          const [asked, admitted, started] = (await session.log()).slice(seq - 1, seq + 2)
          expect(asked).toMatchObject({ type: 'prompt.requested', data: { prompt } })
          together = admitted?.type === 'run.admitted' && admitted.at === asked?.at && started?.at === asked?.at
        }
        // Of several prompts at once, one at most brings its run along; the others wait for their turn.
        const more = await Promise.all(['a', 'b', 'c'].map((words) => session.prompt([{ say: words }])))
        for (const { prompt } of more) expect((await session.endOf(prompt)).data.outcome).toBe('completed')
        const said = (await session.items()).flatMap((item) =>
          item.kind === 'message' && item.role === 'agent' ? [item.text] : [],
        )
        expect(said.toSorted()).toEqual([...told, 'a', 'b', 'c'].toSorted())
        await expectWhole(session)
      },
    )

    it('L2: one key is one request; another body under the key is refused', async () => {
      const world = await open()
      const session = await world.session()
      const first = await session.prompt([{ say: 'once' }], { key: 'k1' })
      const again = await session.prompt([{ say: 'once' }], { key: 'k1' })
      expect(again).toMatchObject({ repeated: true, prompt: first.prompt, seq: first.seq })
      await expect(session.prompt([{ say: 'twice' }], { key: 'k1' })).rejects.toMatchObject({ code: 'bad_input' })
      await session.endOf(first.prompt)
      const late = await session.prompt([{ say: 'once' }], { key: 'k1', wait: 'ended' })
      expect(late).toMatchObject({ repeated: true, prompt: first.prompt, state: 'ended', outcome: 'completed' })
      // A caller without time to wait still gets the current state.
      const asks = Array.from({ length: 10 }, () =>
        session.prompt([{ say: 'once' }], { key: 'k1', wait: 'ended', timeoutMs: 0 }),
      )
      for (const { state, text } of await Promise.all(asks)) expect([state, text]).toEqual(['ended', 'once'])
      expect(await session.eventsOf('prompt.requested')).toHaveLength(1)
      const many = await Promise.all(Array.from({ length: 8 }, () => session.prompt([{ say: 'eight' }], { key: 'k2' })))
      expect(new Set(many.map((one) => one.prompt)).size).toBe(1)
      expect(many.filter((one) => !one.repeated)).toHaveLength(1)
    })

    it('L6: a follower from any point gets every later event once and in order', async () => {
      const world = await open()
      const session = await world.session()
      await session.run([{ repeat: 40, say: 'tick ' }])
      const log = await session.log()
      for (const after of [0, 1, 7, log.length - 1]) {
        const seen: number[] = []
        const stop = new AbortController()
        const target = { kind: 'session' as const, workspace: world.workspace, session: session.id, after }
        for await (const followed of session.carrel.follow([target], stop.signal)) {
          if (followed.kind === 'event') seen.push(followed.seq)
          if (followed.kind === 'caught-up') break
        }
        stop.abort()
        expect(seen).toEqual(log.slice(after).map((event) => event.seq))
      }
    })
  })
}
