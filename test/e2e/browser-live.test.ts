import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import type { BrowserFrame, BrowserScene, Sight } from '../../src/model/browser-sight.ts'
import { browserHere } from '../support/browser-setup.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { ADA, BOB, openWorld, type World } from '../support/carrel-world.ts'

const program = browserHere()
const settings = { browserCommand: program, browsersAtOnce: 1 }
const browse = fileURLToPath(new URL('../support/browse.ts', import.meta.url))

/** A page whose title reports the input. */
const PAGE = `<title>garden</title><body style="margin:0;background:#2a7f3e"><input autofocus style="position:fixed;inset:0;width:100%;height:50%"
 oninput="document.title='typed:'+this.value"><button style="position:fixed;bottom:0;left:0;width:100%;height:40%" onclick="document.title='clicked'">b</button>`
/** A page that opens dialogs, and whose title reports the answers. */
const ASKS = `<title>asks</title><body style="margin:0"><button autofocus style="position:fixed;inset:0;width:100%;height:100%" onclick="
 const bed = prompt('Which bed?', 'north'); document.title = 'got:' + bed + ':' + confirm('Sure?'); alert('Thanks')">b</button>`
const requested: string[] = []
const site = createServer(({ url = '' }, answer) => {
  requested.push(url)
  answer.setHeader('content-type', 'text/html')
  answer.end(url === '/asks' ? ASKS : PAGE)
})
let home = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  home = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
})
afterAll(() => void site.close())

const workspace = 'default'
const visit = (path: string) => ({ run: `'${process.execPath}' '${browse}' '${home}${path}'` })
const want = (carrel: Carrel) => carrel.call('environment.set', { workspace, settings: { browser: 'own' } })

/** Watches a browser and collects the newest of each kind. */
function watch({ engine }: World, run: string, caller = ADA) {
  const over = new AbortController()
  const seen: { scene: BrowserScene | null; frame: BrowserFrame | null; ended: boolean; error: unknown } = {
    scene: null,
    frame: null,
    ended: false,
    error: null,
  }
  const take = (sight: Sight) => {
    if (sight.kind === 'scene') seen.scene = sight.scene
    else if (sight.kind === 'frame') seen.frame = sight.frame
    else seen.ended = true
  }
  const done = (async () => {
    for await (const sight of engine.watchBrowser(caller, { workspace, id: run as never }, over.signal)) take(sight)
  })().catch((thrown: unknown) => {
    seen.error = thrown
  })
  return { seen, done, stop: () => over.abort() }
}

async function begin(world: World, session: TestSession, steps: readonly object[]) {
  const { prompt } = await session.prompt([{ say: 'here' }, { gate: 'go' }, ...steps] as never)
  await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('"here"'))
  const [use] = (await world.carrel.call('browsers.list', { workspace })).browsers
  return { prompt, run: use!.run }
}
const titles = (seen: { scene: BrowserScene | null }) => seen.scene?.tabs.map(({ title }) => title).join() ?? ''
const notices = async (session: TestSession) => (await session.eventsOf('notice.given')).map(({ data }) => data.text)

describe.skipIf(program === null)('the live view of a run’s browser', () => {
  it('P8: one person at a time takes the browser over, sees it and acts in it, while the agent waits', async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const session = await world.session()
    const { prompt, run } = await begin(world, session, [visit('/agent'), { say: 'done' }])
    const at = { workspace, id: run }
    const ada = world.as(ADA)
    const view = watch(world, run)
    await eventually('the first picture', async () => view.seen.frame !== null)
    expect(view.seen.scene).toMatchObject({ state: 'live', holder: null })

    const { hold } = await ada.call('browsers.takeOver', at)
    const twice = world.as(BOB).call('browsers.takeOver', at)
    await expect(twice).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringMatching(/^ada has taken it over/),
    })
    expect((await world.carrel.call('browsers.list', { workspace })).browsers[0]?.holder?.by.name).toBe('ada')
    const act = (...inputs: object[]) => ada.call('browsers.input', { ...at, hold, inputs: inputs as never })
    await act({ kind: 'go', url: `${home}/person` })
    await eventually('the page is shown', async () => titles(view.seen) === 'garden')
    const top = { kind: 'mouse', x: 0.5, y: 0.2, button: 'left', clicks: 1 }
    await act({ ...top, what: 'down', buttons: 1 }, { ...top, what: 'up' }, { kind: 'text', text: 'beans' })
    await eventually('it was typed', async () => titles(view.seen) === 'typed:beans')
    await act({ kind: 'key', what: 'down', key: 'Backspace', code: 'Backspace', keyCode: 8 })
    await eventually('a key arrived', async () => titles(view.seen) === 'typed:bean')
    const point = { kind: 'mouse', x: 0.5, y: 0.9, button: 'left', clicks: 1 }
    await act({ ...point, what: 'down', buttons: 1 }, { ...point, what: 'up' })
    await eventually('it was clicked', async () => titles(view.seen) === 'clicked')
    for (const url of ['file:///etc/passwd', 'chrome://version', 'javascript:alert(1)'])
      await expect(act({ kind: 'go', url })).rejects.toMatchObject({ code: 'bad_input' })

    session.open('go')
    await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('in_progress'))
    // When the browser has served this, it would have served earlier commands of the agent too.
    await act({ kind: 'go', url: `${home}/later` })
    await eventually('the browser has served the person', async () => requested.includes('/later'))
    expect(requested).not.toContain('/agent')
    await ada.call('browsers.keepPicture', at)
    expect((await world.as(BOB).call('browsers.handBack', at)).handedBack).toBe(true)
    expect((await ada.call('browsers.handBack', { ...at, hold })).handedBack).toBe(false)
    await expect(act({ kind: 'text', text: 'x' })).rejects.toMatchObject({ code: 'gone' })
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(requested).toContain('/agent')
    await view.done
    expect(view.seen.ended).toBe(true)
    expect(await notices(session)).toEqual([
      'ada took over the browser of this run. The agent waits when it uses it.',
      expect.stringMatching(/^ada kept a screenshot of /),
      'bob handed the browser of this run back to the agent, which ada had.',
    ])
    await expect(ada.call('browsers.takeOver', at)).rejects.toMatchObject({ code: 'gone' })

    const item = (await session.items()).find(({ kind, ...each }) => kind === 'notice' && 'data' in each)
    expect(item).toMatchObject({ data: { image: { type: 'image', mimeType: 'image/jpeg' }, url: `${home}/later` } })
    const notice = (await session.eventsOf('notice.given')).find(({ data }) => data.data !== undefined)
    const { image } = notice!.data.data as { image: { data: string } }
    expect(Buffer.from(image.data, 'base64').subarray(0, 2).toString('hex')).toBe('ffd8')
    const { text } = await world.carrel.call('sessions.export', { workspace, id: session.id, as: 'markdown' } as never)
    expect(text).toContain('[image, in the log]')
  })

  it('P8: viewers see the dialogs of a page, and the person who has the browser answers them; nothing hangs meanwhile', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const session = await world.session()
    const { prompt, run } = await begin(world, session, [])
    const at = { workspace, id: run }
    const view = watch(world, run)
    await eventually('the first picture', async () => view.seen.frame !== null)
    const { hold } = await world.carrel.call('browsers.takeOver', at)
    const act = (...inputs: object[]) => world.carrel.call('browsers.input', { ...at, hold, inputs: inputs as never })
    const asks = (message: string | null) =>
      eventually(`the page asks ${message}`, async () => (view.seen.scene?.dialog?.message ?? null) === message)
    await act({ kind: 'go', url: `${home}/asks` })
    await eventually('the page is shown', async () => titles(view.seen) === 'asks')
    const middle = { kind: 'mouse', x: 0.5, y: 0.5, button: 'left', clicks: 1 }
    await act({ ...middle, what: 'down', buttons: 1 }, { ...middle, what: 'up' })
    await asks('Which bed?')
    expect(view.seen.scene?.dialog).toEqual({ kind: 'prompt', message: 'Which bed?', answer: 'north' })
    const halted = { code: 'unavailable', message: expect.stringContaining('dialog of the page must be answered') }
    await expect(act({ kind: 'text', text: 'x' })).rejects.toMatchObject(halted)
    await expect(world.carrel.call('browsers.keepPicture', at)).rejects.toMatchObject(halted)
    await act({ kind: 'dialog', accept: true, text: 'south' })
    await asks('Sure?')
    await act({ kind: 'dialog', accept: false })
    await asks('Thanks')
    await act({ kind: 'dialog', accept: true })
    await asks(null)
    // A dialog that is closed already.
    await act({ kind: 'dialog', accept: true })
    await eventually('the page has the answers', async () => titles(view.seen) === 'got:south:false')
    await world.carrel.call('browsers.keepPicture', at)
    session.open('go')
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  })

  it('P8: the end of a run ends a takeover; browsers of another workspace do not exist', async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    await world.carrel.call('workspaces.create', { id: 'other', name: 'Other' })
    const session = await world.session()
    const { prompt, run } = await begin(world, session, [])
    const at = { workspace, id: run }
    const { workspaces } = await world.carrel.call('workspaces.list', {})
    const other = workspaces.find(({ name }) => name === 'Other')!.id
    const eve = { ...ADA, name: 'eve', workspaces: [other] }
    for (const where of [at, { ...at, workspace: other }])
      for (const verb of ['browsers.takeOver', 'browsers.handBack', 'browsers.keepPicture'] as const)
        await expect(world.as(eve).call(verb, where as never)).rejects.toMatchObject({ code: 'not_found' })
    const peep = watch(world, run, eve)
    await peep.done
    expect(peep.seen.error).toMatchObject({ code: 'not_found' })
    const agent = world.as({ ...ADA, face: 'mcp' })
    await expect(agent.call('browsers.takeOver', at)).rejects.toMatchObject({ code: 'forbidden' })

    const { hold } = await world.carrel.call('browsers.takeOver', at)
    const view = watch(world, run)
    await eventually('it is watched', async () => view.seen.scene?.holder !== null && view.seen.scene !== null)
    session.open('go')
    expect((await session.endOf(prompt)).data.outcome).toBe('completed')
    await view.done
    expect(view.seen.ended).toBe(true)
    const late = world.carrel.call('browsers.input', { ...at, hold, inputs: [{ kind: 'text', text: 'x' }] })
    await expect(late).rejects.toMatchObject({ code: 'gone' })
    await eventually(
      'no browser is listed',
      async () => (await world.carrel.call('browsers.list', { workspace })).browsers.length === 0,
    )
  })
})
