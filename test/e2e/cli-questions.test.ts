import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

const asking = script({ ask: { title: 'Shall I?' } }, { say: 'on' })

describe('carrel run where nobody answers', () => {
  let world: CliWorld
  let cwd: string
  let server: Awaited<ReturnType<CliWorld['serve']>>
  beforeAll(async () => {
    world = openCliWorld()
    cwd = world.folder('shop')
    server = await world.serve()
  })
  afterAll(async () => {
    await server.stop()
    await world.close()
  })
  const run = (...options: string[]) => world.carrel(['run', ...options, '-a', 'scripted', asking], { cwd })
  const questions = async () => (await world.carrel(['inbox', '--json'])).json().interactions

  it('I1: --on-question deny refuses, and the run goes on', async () => {
    const done = await run('--on-question', 'deny')
    expect(done).toMatchObject({ exit: 0, stderr: expect.stringContaining('? Shall I?') })
    expect(done.stdout).toContain('on')
    expect(await questions()).toEqual([])
  })

  it('I1: --on-question fail cancels the run, with an exit code of its own and the question on stderr', async () => {
    const done = await run('--on-question', 'fail')
    expect(done).toMatchObject({ exit: 2, stderr: expect.stringMatching(/The agent asks "Shall I\?"\. .*cancelled/) })
    const json = await run('--on-question', 'fail', '--json')
    expect(json.exit).toBe(2)
    expect(json.lines().at(-1)).toMatchObject({
      type: 'result',
      outcome: 'cancelled',
      error: { code: 'question', data: { answer: expect.stringMatching(/^carrel answer int_\w+ 1$/) } },
    })
    expect(JSON.parse(json.stderr)).toMatchObject({ question: { title: 'Shall I?', options: expect.any(Array) } })
    expect(await questions()).toEqual([])
  })

  it('I1: a run that waits for an answer at its timeout says how to answer', async () => {
    const json = await run('--timeout', '2s', '--json')
    expect(json.exit).toBe(2)
    expect(json.lines().at(-1)).toMatchObject({ outcome: null, error: { code: 'question' } })
    const [{ id }] = await questions()
    expect(JSON.parse(json.stderr).question).toMatchObject({ id, answer: `carrel answer ${id} 1` })
    await world.carrel(['answer', id, '1'])
  })

  it.each([
    ['completed', { say: 'well' }, 0, null],
    [
      'failed',
      { fail: 'the model is away' },
      1,
      { code: 'failed', message: expect.stringContaining('the model is away') },
    ],
    ['refused', { stop: 'refusal' }, 1, { code: 'refused', message: 'Refused.' }],
    [
      'over budget',
      { stop: 'max_tokens' },
      75,
      { code: 'over_budget', message: expect.stringContaining('Prompt again') },
    ],
  ])('the last line of --json has the error of a run that is %s', async (_, step, exit, error) => {
    const done = await world.carrel(['run', '--json', '-a', 'scripted', script(step)], { cwd })
    expect([done.exit, done.lines().at(-1).error]).toEqual([exit, error])
  })

  it('--on-question needs a run that is watched', async () => {
    expect(await run('--on-question', 'fail', '--wait', 'started')).toMatchObject({ exit: 64 })
  })
})
