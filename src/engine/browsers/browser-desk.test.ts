import { expect, it } from 'vitest'
import type { Who } from '../../model/tree.ts'
import { createBrowserDesk } from './browser-desk.ts'
import type { BrowserAtHand } from './browser-pool.ts'

const who = (name: string): Who => ({ name, kind: 'person', face: 'web' })
const [ADA, BOB] = [who('ada'), who('bob')]

/** A browser that can be held, and nothing else. */
function browser(run = 'run') {
  const over = new AbortController()
  const told: string[] = []
  const released = Promise.withResolvers<void>()
  const hand = {
    wish: { run, workspace: 'default', tell: (_level: string, text: string) => void told.push(text) },
    over: over.signal,
    running: () => Promise.reject(new Error('not looked at here')),
    hold: async () => ({ release: released.resolve, over: released.promise }),
  } as unknown as BrowserAtHand
  return { hand, told, released: released.promise, end: () => over.abort() }
}

function desk(idleMs: number) {
  let made = 0
  return createBrowserDesk({ now: () => 1, id: () => `hold-${++made}`, changed: () => undefined, idleMs })
}

it('P8: who takes a browser over and then neither looks nor acts loses it again, and the session is told', async () => {
  const [one, { hand, told, released }] = [desk(5), browser()]
  const { hold } = await one.takeOver(hand, ADA)
  await released
  expect(one.holder('run')).toBeNull()
  expect(told.at(-1)).toBe('The browser was handed back to the agent: ada did not look any more.')
  await expect(one.input(hand, hold, [])).rejects.toMatchObject({ code: 'gone' })
})

it('P8: a server that stops hands every browser back, and says so', async () => {
  const [one, { hand, told, released }] = [desk(60_000), browser()]
  await one.takeOver(hand, ADA)
  one.close()
  await released
  expect(told.at(-1)).toBe('The browser was handed back to the agent: the server stops.')
})

it('P8: of two who ask at once one has it; another may hand it back for them; the end of the run does', async () => {
  const [one, first] = [desk(60_000), browser()]
  const asked = await Promise.allSettled([one.takeOver(first.hand, ADA), one.takeOver(first.hand, BOB)])
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await expect(one.takeOver(first.hand, BOB)).rejects.toMatchObject({ code: 'busy', data: { holder: { by: ADA } } })
  expect(one.handBack('run', 'another', BOB)).toBe(false)
  expect(one.handBack('run', null, BOB)).toBe(true)
  await first.released
  expect(first.told.at(-1)).toBe('bob handed the browser of this run back to the agent, which ada had.')
  const second = browser('next')
  await one.takeOver(second.hand, BOB)
  second.end()
  await second.released
  expect(one.holder('next')).toBeNull()
})
