import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findKeepers } from '../../src/host/keeper/client.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { running, startServer } from '../support/carrel-server.ts'
import { eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { makeTestFolder, scriptedAgent } from '../support/carrel-world.ts'

/** Each session has a process of its own, and so a keeper. */
const ALONE = scriptedAgent('alone', { runsPerProcess: 1 })
const OUTLIVE = { outliveMs: 120_000, flushMs: 5, agents: [ALONE] }
/** Number of runs that lose their keeper only; `BOTH` lose keeper and server, and the others lose the server only. */
const KEEPERS = 7
const BOTH = 7
const RUNS = 20
const WORDS = 600
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index} `).join('')

it(`P1, P5, L4: of ${RUNS} streaming runs ${KEEPERS} lose their keepers and ${BOTH} keepers and server at random moments: each has one end, keeps its text, and the next prompt works`, {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  let server = await startServer(testFolder, OUTLIVE)
  let sessions = await Promise.all(Array.from({ length: RUNS }, () => server.session({ agent: 'alone' })))
  const prompts = await Promise.all(
    sessions.map((session) =>
      session.prompt([{ gate: 'begin' }, { repeat: WORDS, everyMs: 20 }, { gate: 'end' }], { wait: 'started' }),
    ),
  )
  // Twenty processes take a while to start; then all speak at once.
  for (const session of sessions) session.open('begin')
  const heads = async () => await Promise.all(sessions.map(async (session) => (await session.row()).head))
  /** Waits until the log has this number of further words. */
  const later = async (session: TestSession, words: number) => {
    const seen = (await session.row()).head
    await session.until('agent.update', ({ seq }) => seq >= seen + words, seen)
  }
  const keeperOf = async (session: TestSession) => {
    const [opened] = await session.eventsOf('context.opened')
    const keepers = await findKeepers(join(testFolder.dataFolder, 'keepers'))
    const found = keepers.find(({ keeper }) => keeper === opened?.data.keeper)
    if (!found) throw new Error('The run has no keeper.')
    return found.note.keeper.identity.pid
  }
  const [alone, both] = [sessions.slice(0, KEEPERS), sessions.slice(KEEPERS, KEEPERS + BOTH)]
  for (const [index, session] of alone.entries()) {
    await later(session, 1 + ((index * 7) % 5))
    process.kill(await keeperOf(session), 'SIGKILL')
  }
  await later(sessions.at(-1) as TestSession, 3)
  const before = await heads()
  const keepers = await Promise.all(both.map(keeperOf))
  for (const pid of keepers) process.kill(pid, 'SIGKILL')
  await server.kill()
  server = await startServer(testFolder, OUTLIVE)
  sessions = sessions.map((session) => session.through(server.carrel))
  for (const [index, session] of sessions.entries()) {
    session.open('end')
    const { data } = await session.endOf(prompts[index]?.prompt ?? '')
    const how = index < KEEPERS ? 'failed' : index < KEEPERS + BOTH ? 'lost' : 'completed'
    expect([index, data.outcome]).toEqual([index, how])
    expect(await session.eventsOf('run.ended')).toHaveLength(1)
    expect((await session.row()).head).toBeGreaterThanOrEqual(before[index] ?? 0)
    const text = textOf(await session.items())
    if (how === 'completed') expect(text).toBe(numbers(WORDS))
    else expect(numbers(WORDS).startsWith(text) && text.length > 0).toBe(true)
  }
  // One of each kind, one after the other: a process starts for each.
  for (const session of [sessions[0], sessions[KEEPERS], sessions.at(-1)] as TestSession[]) {
    expect((await session.run([{ say: ' and on' }])).outcome).toBe('completed')
    await expectWhole(session)
  }
  await server.stop()
  await eventually('nothing is left', () => running(testFolder).length === 0)
})
