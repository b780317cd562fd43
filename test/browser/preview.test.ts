import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { order } from '../support/carrel-session.ts'
import { openDevServer } from '../support/dev-server.ts'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
let place: { readonly session: string; readonly port: number; readonly preview: string }
beforeAll(async () => {
  world = await openWorld()
  if ('skipped' in world) return
  const { carrel } = world
  const { session, project } = await openSession(world, 'Shop')
  await carrel.call('environment.set', { workspace: WORKSPACE, settings: { ports: ['web'] } })
  const content = order([{ say: 'It listens.' }])
  await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
  const { ports } = await carrel.call('ports.list', { workspace: WORKSPACE, project: project.id })
  place = { session: session.id, port: 0, preview: '', ...ports[0] }
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

/** A page as an agent could write it: its script tries everything that a page can try. */
function app(carrel: string) {
  const script = `
    const show = (id, text) => { document.getElementById(id).textContent = text }
    const socket = new WebSocket('ws://' + location.host + '/hmr')
    socket.onopen = () => socket.send('hot')
    socket.onmessage = ({ data }) => show('socket', data)
    document.cookie = '${nameOf(carrel)}=forged; path=/; domain=localhost'
    document.cookie = '${nameOf(carrel)}=forged; path=/; domain=127.0.0.1'
    show('cookie', 'cookie: ' + document.cookie)
    const tries = ['${carrel}', '${carrel.replace('127.0.0.1', 'localhost')}'].flatMap((at) => [
      fetch(at + '/api/v1/workspaces', { credentials: 'include' }),
      fetch(at + '/api/v1/workspaces', { method: 'POST', credentials: 'include', body: '{"id":"stolen"}' }),
      fetch(at + '/preview/' + location.host.split('.')[0], { credentials: 'include' }),
    ])
    Promise.all(tries.map((each) => each.then(({ status }) => status, () => 'failed'))).then((all) =>
      show('carrel', 'tries: ' + all.join(' ')))
    Promise.all(['${carrel}', '${carrel.replace('127.0.0.1', 'localhost')}'].map((at) =>
      fetch(at + '/api/v1/workspaces', { credentials: 'include', mode: 'no-cors' })
        .then(({ type }) => type, () => 'failed'))).then((all) => show('opaque', 'opaque: ' + all.join(' ')))`
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== '/') return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': 'text/html',
      'set-cookie': [`${nameOf(carrel)}=forged; Domain=localhost; Path=/`, 'theme=dark; Domain=localhost; Path=/'],
    })
    response.end(`<!doctype html><title>Shop</title><h1>The shop</h1>
      <p id=socket></p><p id=cookie></p><p id=carrel></p><p id=opaque></p><script>${script}</script>`)
  }
}

/** The name of the login's cookie. */
const nameOf = (carrel: string) => `carrel_${new URL(carrel).port}`

async function openRuns(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^(Show|Open).*panel|Panel/i })
    .first()
    .click()
  await page.getByRole('tab', { name: 'Runs' }).click()
}

describe('a preview', () => {
  it('B5: the link of a port opens the app, with its WebSocket; its script has nothing of Carrel’s login', async ({
    skip,
  }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { carrel, open, url } = world
    const { session, port, preview } = place
    const page = await open(`/s/${session}`)
    await openRuns(page)
    const [shown] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: `web on port ${port}` }).click(),
    ])
    await shown.getByRole('heading', { name: 'Nothing listens on web yet' }).waitFor()
    await shown.getByText(`web is port ${port}`).waitFor()
    await shown.getByText('Shop (scripted): Completed').waitFor()
    const server = await openDevServer(port, app(url))
    onTestFinished(() => server.close())
    // The page reloads itself.
    await shown.getByRole('heading', { name: 'The shop' }).waitFor()
    expect(shown.url()).toBe(`http://${preview}.localhost:${new URL(url).port}/`)
    await shown.getByText('echo hot').waitFor()
    expect(await shown.getByText(/^cookie: /).textContent()).toBe('cookie: theme=dark')
    expect(await shown.getByText(/^tries: /).textContent()).toBe('tries: failed failed failed failed failed failed')
    await shown.getByText(/^opaque: /).waitFor()
    for (const { headers } of server.seen) expect(headers.cookie ?? '').not.toMatch(/carrel/)

    const cookies = await page.context().cookies([url, url.replace('127.0.0.1', 'localhost'), shown.url()])
    const login = cookies.filter(({ name }) => name === nameOf(url))
    expect(login).toMatchObject([{ domain: '127.0.0.1', httpOnly: true, sameSite: 'Strict' }])
    expect(login[0]?.value).not.toContain('forged')
    expect(cookies.filter(({ name }) => name === 'carrel_preview')).toMatchObject([
      { domain: `${preview}.localhost`, httpOnly: true, sameSite: 'Lax' },
    ])
    // The script could not change the login of the page.
    await page.reload()
    await page.getByRole('link', { name: `web on port ${port}` }).waitFor()
    expect((await carrel.call('workspaces.list', {})).workspaces.map(({ id }) => id)).toEqual([WORKSPACE])

    await page.evaluate(() => fetch('/logout', { method: 'POST' }))
    await shown.reload()
    await shown.getByRole('heading', { name: 'Open this from Carrel' }).waitFor()
  })

  it('B5: without a login the address leads to the login, and from there to the app, also on a phone', async ({
    skip,
  }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { browser, loginUrl, url } = world
    const { port, preview } = place
    const server = await openDevServer(port, app(url))
    onTestFinished(() => server.close())
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    try {
      const page = await context.newPage()
      await page.goto(`http://${preview}.localhost:${new URL(url).port}/?deep=1`)
      await page.getByRole('link', { name: 'Open it from Carrel' }).tap()
      await page.getByLabel('Or paste the token:').fill(new URL(loginUrl()).searchParams.get('token') ?? '')
      await page.getByRole('button', { name: 'Log in' }).tap()
      // The first address was another route of the app, which has one page only.
      await page.waitForURL(`http://${preview}.localhost:${new URL(url).port}/?deep=1`)
      await page.goto(`http://${preview}.localhost:${new URL(url).port}/`)
      await page.getByText('echo hot').waitFor()
      // With a login one click is enough. The browser omits the cookie at first, since the request comes from another
      // site.
      await context.clearCookies({ name: 'carrel_preview' })
      await page.reload()
      await page.getByRole('link', { name: 'Open it from Carrel' }).tap()
      await page.getByText('echo hot').waitFor()
    } finally {
      await context.close()
    }
  })
})
