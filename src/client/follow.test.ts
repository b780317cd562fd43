import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Followed, FollowTarget } from '../api/index.ts'
import { connect } from './client.ts'

const A = `ses_${'a'.repeat(26)}`
const B = `ses_${'b'.repeat(26)}`
const one: FollowTarget[] = [{ kind: 'session', workspace: 'default', session: A, after: 0 }]
const many: FollowTarget[] = [
  { kind: 'workspace', workspace: 'Default', after: 3 },
  { kind: 'session', workspace: 'default', session: A, after: 0 },
  { kind: 'session', workspace: 'default', session: B, after: 0 },
]

const said = (id: string, event: string, data: unknown) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
const event = (seq: number) => said(String(seq), 'session', { seq, text: `höher 🜁 ${seq}` })

/** A server, or what stands before it, that says these bodies to one request after the other. */
function scripted(answers: (() => Response)[]) {
  const asked: string[] = []
  const client = connect({
    url: 'http://server',
    timing: { firstWaitMs: 0, longestWaitMs: 0, silenceMs: 5_000 },
    fetch: async (input) => {
      asked.push(String(input).slice('http://server/api/v1'.length))
      const answer = answers.shift()
      if (!answer) throw new TypeError('fetch failed')
      return answer()
    },
  })
  return { client, asked }
}

const body =
  (...chunks: (string | Uint8Array)[]) =>
  () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) {
            controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
          }
          controller.close()
        },
      }),
    )

async function take(source: AsyncIterable<Followed>, count: number): Promise<Followed[]> {
  const taken: Followed[] = []
  for await (const each of source) {
    taken.push(each)
    if (taken.length === count) break
  }
  return taken
}
const follow = (client: ReturnType<typeof scripted>['client'], targets = one) =>
  client.follow(targets, new AbortController().signal)
const seqs = (taken: readonly Followed[]) => taken.map((each) => (each.kind === 'event' ? each.seq : each.kind))

it('L6: it makes no difference where the bytes are cut into pieces', async () => {
  const whole = new TextEncoder().encode([1, 2, 3, 4, 5].map(event).join(': still here\n\n'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 30 }), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
      const pieces = at.slice(1).map((end, n) => whole.subarray(at[n], end))
      const taken = await take(follow(scripted([body(...pieces)]).client), 5)
      expect(seqs(taken)).toEqual([1, 2, 3, 4, 5])
      expect(taken[4]).toEqual({ kind: 'event', log: A, seq: 5, json: '{"seq":5,"text":"höher 🜁 5"}' })
    }),
  )
})

it('L6: a stream that ends anywhere is resumed after the last whole event', async () => {
  const whole = new TextEncoder().encode([1, 2, 3].map(event).join(''))
  for (let end = 0; end <= whole.length; end += 1) {
    const { client, asked } = scripted([
      body(whole.subarray(0, end)),
      () => {
        const after = Number(new URLSearchParams(asked.at(-1)?.split('?')[1]).get('after'))
        return body(...[1, 2, 3].filter((seq) => seq > after).map(event), event(4))()
      },
    ])
    expect(seqs(await take(follow(client), 4)), `cut at ${end}`).toEqual([1, 2, 3, 4])
  }
})

it('L6: what was seen is dropped, what skips an event is read again', async () => {
  const { client, asked } = scripted([
    body(event(1), event(1), event(2), event(1), event(4), event(5)),
    body(event(3), event(4)),
  ])
  expect(seqs(await take(follow(client), 4))).toEqual([1, 2, 3, 4])
  expect(asked).toEqual([
    `/workspaces/default/sessions/${A}/follow?after=0`,
    `/workspaces/default/sessions/${A}/follow?after=2`,
  ])
})

it('L6: many logs in one stream each go on from their own place, and one that ended is not asked for again', async () => {
  const { client, asked } = scripted([
    body(
      said(`w.4~${A}.0~${B}.0`, 'workspace', { seq: 4 }),
      said(`w.4~${A}.0~${B}.1`, 'session', { seq: 1 }),
      said(`w.4~${A}.0~${B}.1`, 'caught-up', { log: B, head: 1 }),
      said(`w.4~${A}.end~${B}.1`, 'ended', { log: A, reason: 'The log was deleted.' }),
    ),
    body(
      said(`w.5~${B}.1`, 'workspace', { seq: 5 }),
      said('w.end~nothing', 'ended', { log: 'default', reason: 'Gone.' }),
    ),
    body(said('2', 'session', { seq: 2 })),
  ])
  const taken = await take(follow(client, many), 7)
  expect(taken.map((each) => [each.kind, each.log, 'seq' in each ? each.seq : null])).toEqual([
    ['event', 'default', 4],
    ['event', B, 1],
    ['caught-up', B, null],
    ['ended', A, null],
    ['event', 'default', 5],
    ['ended', 'default', null],
    ['event', B, 2],
  ])
  expect(asked).toEqual([
    `/follow?${new URLSearchParams([
      ['workspace', 'default'],
      ['w', 'default:3'],
      ['s', `${A}:0`],
      ['s', `${B}:0`],
    ])}`,
    `/follow?${new URLSearchParams([
      ['workspace', 'default'],
      ['w', 'default:4'],
      ['s', `${B}:1`],
    ])}`,
    `/workspaces/default/sessions/${B}/follow?after=1`,
  ])
})

it('L6: a server that starts, stops or is not there is asked again; one that refuses is not', async () => {
  const problem = (status: number, code: string) => () =>
    Response.json({ error: { code, message: 'Because.' } }, { status })
  const { client } = scripted([
    problem(503, 'unavailable'),
    () => new Response('<html>bad gateway</html>', { status: 502 }),
    () => {
      throw new TypeError('fetch failed')
    },
    body(),
    body(event(1)),
  ])
  expect(seqs(await take(follow(client), 1))).toEqual([1])
  for (const [status, code] of [
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [400, 'bad_input'],
    [403, 'forbidden'],
  ] as const) {
    await expect(take(follow(scripted([problem(status, code)]).client), 1)).rejects.toMatchObject({ code })
  }
})

it('following ends when it is aborted, and when nothing is left to follow', async () => {
  const stop = new AbortController()
  const { client } = scripted([])
  client.onConnection(({ attempt }) => attempt >= 3 && stop.abort())
  expect(await take(client.follow(one, stop.signal), 1)).toEqual([])
  const ended = scripted([body(said('end', 'ended', { log: A, reason: 'The log was deleted.' }))])
  expect(await take(follow(ended.client), 9)).toEqual([{ kind: 'ended', log: A, reason: 'The log was deleted.' }])
  const gone = scripted([() => new Response(null, { status: 204 })])
  expect(await take(follow(gone.client), 9)).toEqual([])
  expect(await take(follow(scripted([]).client, []), 9)).toEqual([])
})

it('logs of several workspaces come as one', async () => {
  const { client, asked } = scripted([
    body(said('w.1', 'workspace', { seq: 1 })),
    body(said('w.1', 'workspace', { seq: 1 })),
  ])
  const targets: FollowTarget[] = [
    { kind: 'workspace', workspace: 'a', after: 0 },
    { kind: 'workspace', workspace: 'b', after: 0 },
  ]
  const taken = await take(follow(client, targets), 2)
  expect(taken.map(({ log }) => log).sort()).toEqual(['a', 'b'])
  expect(asked.slice(0, 2).sort()).toEqual(['/follow?workspace=a&w=a%3A0', '/follow?workspace=b&w=b%3A0'])
})
