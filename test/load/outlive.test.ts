/** @module-tag long */
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { running, startServer } from '../support/carrel-server.ts'
import { eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { makeTestFolder } from '../support/carrel-world.ts'

/** Long enough for every restart here; the end of each test ends the remaining processes. */
const OUTLIVE = { outliveMs: 120_000, flushMs: 5 }
const RUNS = 20
/** The contract asks for fifty, which take a while: `CARREL_TEST_KILLS=50` runs them. */
const KILLS = Number(process.env.CARREL_TEST_KILLS ?? 8)
/** Enough words for the agent to be busy after the last kill. */
const WORDS = 60 * KILLS
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index} `).join('')

const opened = async (session: TestSession) => (await session.eventsOf('context.opened')).map(({ data }) => data.how)

it(`P5: ${KILLS} kills of the server at random moments of ${RUNS} streaming runs: no word is lost or repeated, all complete`, async () => {
  const testFolder = makeTestFolder()
  let server = await startServer(testFolder, OUTLIVE)
  let sessions = await Promise.all(Array.from({ length: RUNS }, () => server.session()))
  const prompts = await Promise.all(
    sessions.map((session) => session.prompt([{ repeat: WORDS, everyMs: 20 }], { wait: 'started' })),
  )
  const isWord = ({ data }: { data: { update: unknown } }) =>
    JSON.stringify(data.update).includes('agent_message_chunk')
  await Promise.all(sessions.map((session) => session.until('agent.update', isWord)))
  for (let kills = 0; kills < KILLS; kills += 1) {
    // A moment after all runs have been adopted: when the log of the first has a random number of further words.
    const [first] = sessions as [TestSession]
    const seen = (await first.row()).head
    const words = 1 + ((kills * 7) % 13)
    if ((await first.row()).state === 'running')
      await Promise.race([
        first.until('agent.update', ({ seq }) => seq >= seen + words, seen),
        first.until('run.ended', () => true, 0),
      ])
    await server.kill()
    server = await startServer(testFolder, OUTLIVE)
    sessions = sessions.map((session) => session.through(server.carrel))
  }
  for (const [index, session] of sessions.entries()) {
    const ended = await session.endOf(prompts[index]?.prompt ?? '')
    expect(ended.data).toMatchObject({ outcome: 'completed', error: null })
    expect(textOf(await session.items())).toBe(numbers(WORDS))
    expect(await opened(session)).toEqual(['new'])
    await expectWhole(session)
  }
  await server.stop()
  await eventually('no process is left', () => running(testFolder).length === 0, 10_000)
}, 600_000)
