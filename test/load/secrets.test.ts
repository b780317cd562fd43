/** @module-tag long */
import { expect, it } from 'vitest'
import { filesWith } from '../contracts/carrel-secrets.ts'
import { eventually } from '../support/carrel-session.ts'
import { openWorld } from '../support/carrel-world.ts'

const DEFAULT = { workspace: 'default' } as const
const RUNS = 50
const PATIENCE_MS = 240_000
const canary = (index: number) => `canary-${index}-${'x'.repeat(index % 7)} - "quoted" / ${index * 7_919}`
/** The part of a value that appears in every form of it but base64. */
const traceOf = (index: number) => `canary-${index}-`

it("B3: fifty secrets in fifty runs at once that print them everywhere: no file has one, no run has another one's", async () => {
  const world = await openWorld({ logLevel: 'debug' })
  const first = await world.session()
  const sessions = [first]
  for (let index = 1; index < RUNS; index += 1) {
    const { project } = await world.carrel.call('spaces.create', { ...DEFAULT, folder: world.work() })
    sessions.push(await world.session({ beside: { ...first, project: project.id } as typeof first }))
  }
  for (const [index, { project }] of sessions.entries())
    await world.carrel.call('secrets.put', { ...DEFAULT, project, name: 'CANARY', value: canary(index) })
  await Promise.all(
    sessions.map(async (session) => {
      await session.prompt([
        { run: 'env; env >&2; printenv CANARY | base64' },
        { stderr: 'on stderr: $CANARY', expand: true },
        { say: 'In a message, in pieces: $CANARY, and again $CANARY.', expand: true, chunks: 9 },
        { think: 'A thought: $CANARY', expand: true, chunks: 5 },
        { write: 'kept.env', content: 'CANARY=$CANARY', ask: false },
        { ask: { title: 'In a question: $CANARY' }, expand: true },
        { fail: 'In an error: $CANARY', expand: true },
      ])
      // Fifty processes start one after the other, which takes longer than any other wait.
      const asks = async () => (await session.row()).questions === 1
      await eventually('the agent asks', asks, PATIENCE_MS)
      const asked = await session.until('interaction.opened')
      await session.answer(asked.data.interaction, 'allow-once')
      expect((await session.until('run.ended')).data).toMatchObject({
        outcome: 'failed',
        error: { message: expect.stringContaining('In an error: [secret CANARY]'), stderr: expect.any(String) },
      })
    }),
  )
  for (const session of sessions) {
    const said = JSON.stringify(await session.log())
    expect(said).toContain('CANARY=[secret CANARY]')
    expect(said).toContain('in pieces: ')
    expect(said).toContain('on stderr: [secret CANARY]')
    expect(said).toContain('In a question: [secret CANARY]')
    for (let index = 0; index < RUNS; index += 1) expect(said).not.toContain(traceOf(index))
  }
  const forms = Array.from({ length: RUNS }, (_, index) => [
    traceOf(index),
    Buffer.from(`${canary(index)}\n`)
      .toString('base64')
      .slice(0, 40),
  ]).flat()
  await world.engine.close()
  expect(filesWith(world.dataFolder, forms)).toEqual([])
}, 300_000)
