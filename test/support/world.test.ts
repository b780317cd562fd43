import pg from 'pg'
import { expect, it } from 'vitest'
import { launchChromium } from './chromium.ts'
import { startPostgres } from './postgres.ts'

it('a real Postgres 18 starts, syncs its writes and leaves nothing behind', async ({ skip }) => {
  const server = await startPostgres()
  if ('skipped' in server) return skip(server.skipped)
  try {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync`,
    )
    await client.end()
    expect(rows[0].version).toBeGreaterThanOrEqual(150_000)
    expect(rows[0].fsync).toBe('on')
  } finally {
    await server.stop()
  }
  if (process.env.CARREL_TEST_POSTGRES) return
  await expect(new pg.Client({ connectionString: server.url }).connect()).rejects.toThrow()
})

it('a Chromium starts and renders', async ({ skip }) => {
  const browser = await launchChromium()
  if ('skipped' in browser) return skip(browser.skipped)
  try {
    const page = await browser.newPage()
    await page.setContent('<h1>Carrel</h1>')
    expect(await page.getByRole('heading').textContent()).toBe('Carrel')
  } finally {
    await browser.close()
  }
})
