import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { z } from 'zod'
import type { SessionId } from '../../model/ids.ts'
import { createTimer } from '../../primitives/timers.ts'
import { type Bell, createBell } from '../bell.ts'
import { coalesce } from '../sql/tx.ts'
import type { Ring } from '../store.ts'
import { fromPostgres } from './postgres-errors.ts'

const CHANNEL = 'carrel_bell'
/** Time over which rings are batched: one NOTIFY for each commit would cost more than most commits. ms. */
const BATCH_MS = 20
/** Postgres takes 8000 bytes in one notification; a ring takes at most about 190. */
const RINGS_PER_NOTE = 40
const RETRY_MS = [100, 500, 2_000, 5_000]

/** The id of the sending bell, then its rings. */
const Note = z.tuple([z.string(), z.array(z.tuple([z.string(), z.number(), z.boolean()]))])

/**
 * Creates the bell of several nodes on one Postgres database: LISTEN and NOTIFY over its own connection. Listeners of
 * this node hear at once, others after about 20 ms. Rings are lost while the server is away, which costs delay only
 * (L7).
 * @throws unavailable when the server cannot be reached at first
 */
export async function createPostgresBell(url: string): Promise<Bell> {
  const bell = new PostgresBell(url)
  await bell.connect()
  return bell
}

class PostgresBell implements Bell {
  readonly #url: string
  readonly #local = createBell()
  readonly #id = randomUUID()
  readonly #closed = new AbortController()
  #waiting: Ring[] = []
  readonly #batch = createTimer()
  #client: pg.Client | null = null
  #sending: Promise<unknown> = Promise.resolve()

  constructor(url: string) {
    this.#url = url
  }

  ring(ring: Ring): void {
    this.#local.ring(ring)
    this.#waiting.push(ring)
    this.#batch.start(BATCH_MS, () => this.#send())
  }

  listen(log: string | null, listener: (ring: Ring) => void): () => void {
    return this.#local.listen(log, listener)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    this.#batch.stop()
    this.#send()
    await this.#sending
    await this.#local.close()
    this.#client?.removeAllListeners('end')
    await this.#client?.end()
  }

  async connect(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, application_name: 'carrel bell', keepAlive: true })
    client.on('error', () => {})
    client.on('notification', ({ payload }) => {
      for (const ring of readNote(payload, this.#id)) this.#local.ring(ring)
    })
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw fromPostgres(error)
    }
    if (this.#closed.signal.aborted) return void (await client.end())
    this.#client = client
    client.once('end', () => {
      this.#client = null
      void this.#reconnect()
    })
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closed
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)], undefined, { signal, ref: false })
        return await this.connect()
      } catch {
        // Repeated until the connection stands or the bell is closed.
      }
    }
  }

  #send(): void {
    const rings = coalesce(this.#waiting)
    this.#waiting = []
    this.#sending = notify(this.#client, this.#id, rings)
  }
}

/** Sends rings to other nodes. A note that cannot be sent is lost: listeners poll after a while. */
async function notify(client: pg.Client | null, id: string, rings: readonly Ring[]): Promise<void> {
  if (!client) return
  for (let start = 0; start < rings.length; start += RINGS_PER_NOTE) {
    const part = rings.slice(start, start + RINGS_PER_NOTE)
    const note = JSON.stringify([id, part.map(({ log, head, due }) => [log, head, due])])
    await client.query('select pg_notify($1, $2)', [CHANNEL, note]).catch(() => {})
  }
}

function readNote(payload: string | undefined, id: string): Ring[] {
  try {
    const [from, rings] = Note.parse(JSON.parse(payload ?? ''))
    // Listeners of this node have heard these rings already.
    return from === id ? [] : rings.map(([log, head, due]) => ({ log: log as SessionId, head, due }))
  } catch {
    return []
  }
}
