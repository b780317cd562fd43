import { expect, it } from 'vitest'
import type { Who } from '../../model/tree.ts'
import { LiveView } from './live-view.ts'

const who = (name: string): Who => ({ name, kind: 'person', face: 'web' })
const [ADA, BOB] = [who('ada'), who('bob')]

/** The view of a fake browser that can be held, and nothing else. */
function open(idleMs: number) {
  const over = new AbortController()
  const notices: string[] = []
  const released = Promise.withResolvers<void>()
  const browser = {
    over: over.signal,
    running: () => Promise.reject(new Error('not watched here')),
    hold: async () => ({ release: released.resolve, over: released.promise }),
    notify: (text: string) => void notices.push(text),
    changed: () => undefined,
  }
  let ids = 0
  const view = new LiveView(browser, { now: () => 1, id: () => `hold-${++ids}`, idleMs })
  return { view, notices, released: released.promise, end: () => over.abort() }
}

it('P8: a person who neither watches nor acts loses the browser after a while, and the session gets a notice', async () => {
  const { view, notices, released } = open(5)
  const { hold } = await view.takeOver(ADA)
  await released
  expect(view.holder).toBeNull()
  expect(notices.at(-1)).toBe('The browser was handed back to the agent: ada no longer watched it.')
  await expect(view.input(hold, [])).rejects.toMatchObject({ code: 'gone' })
})

it('P8: a server that stops hands the browser back, with a notice', async () => {
  const { view, notices, released } = open(60_000)
  await view.takeOver(ADA)
  view.stop()
  await released
  expect(notices.at(-1)).toBe('The browser was handed back to the agent: the server stops.')
})

it('P8: of two simultaneous requests one succeeds; another person may hand back; the end of the run does', async () => {
  const { view, notices, released } = open(60_000)
  const requests = await Promise.allSettled([view.takeOver(ADA), view.takeOver(BOB)])
  expect(requests.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await expect(view.takeOver(BOB)).rejects.toMatchObject({ code: 'busy', data: { holder: { by: ADA } } })
  expect(view.handBack('another', BOB)).toBe(false)
  expect(view.handBack(null, BOB)).toBe(true)
  await released
  expect(notices.at(-1)).toBe('bob handed the browser of this run back to the agent, which ada had.')
  const second = open(60_000)
  await second.view.takeOver(BOB)
  second.end()
  await second.released
  expect(second.view.holder).toBeNull()
})
