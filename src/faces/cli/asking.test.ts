import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { Question } from '../../model/interaction.ts'
import { askPerson, chooseOption } from './asking.ts'
import { openLines } from './lines.ts'
import type { World } from './terminal.ts'

const PERMISSION: Question = {
  kind: 'permission',
  title: 'Write a.txt',
  body: null,
  options: [
    { id: 'yes-1', label: 'Allow', kind: 'allow_once' },
    { id: '1', label: 'Never', kind: 'reject_once' },
  ],
  toolCallId: null,
  toolKind: 'edit',
  paths: ['a.txt'],
  command: null,
}
const FORM: Question = {
  ...PERMISSION,
  kind: 'form',
  options: [],
  schema: {
    properties: { name: { type: 'string' }, count: { type: 'integer', default: 3 }, sure: { type: 'boolean' } },
    required: ['name', 'sure'],
  },
}

/** A terminal that nothing was typed on yet. */
function typing() {
  const stdin = new PassThrough()
  const stderr = new PassThrough()
  stderr.resume()
  const typed = openLines({ stdin, stderr } as unknown as World, { onInterrupt: () => undefined })
  return { typed, stdin }
}

it('an option is found by id before number before label', () => {
  expect(chooseOption(PERMISSION, '1')).toEqual({ option: '1' })
  expect(chooseOption(PERMISSION, '2')).toEqual({ option: '1' })
  expect(chooseOption(PERMISSION, 'allow')).toEqual({ option: 'yes-1' })
  expect(() => chooseOption(PERMISSION, 'perhaps')).toThrow('1 Allow (yes-1), 2 Never (1)')
})

it('a person is asked again until the answer is understood', async () => {
  const { typed, stdin } = typing()
  const answers = ['', '9', 'perhaps', '2']
  const person = { ...typed, ask: async () => answers.shift() ?? null }
  const { signal } = new AbortController()
  expect(await askPerson(person, PERMISSION, signal)).toEqual({ option: '1' })
  expect(answers).toEqual([])
  expect(await askPerson(person, PERMISSION, signal)).toBeNull()
  stdin.end()
})

it('I1: a question that somebody else answered is taken back from the terminal', async () => {
  const { typed } = typing()
  const elsewhere = new AbortController()
  const asked = askPerson(typed, PERMISSION, elsewhere.signal)
  elsewhere.abort()
  expect(await asked).toBeNull()
  typed.close()
})

it('a form asks for each field, takes defaults, and insists on what is required', async () => {
  const { typed, stdin } = typing()
  const asked: string[] = []
  const answers = ['', 'Ada', '', 'perhaps', 'yes']
  const person = {
    ...typed,
    ask: async (prompt: string) => {
      asked.push(prompt.split(':')[0] ?? '')
      return answers.shift() ?? null
    },
  }
  const answer = await askPerson(person, FORM, new AbortController().signal)
  expect(answer).toEqual({ values: { name: 'Ada', count: 3, sure: true } })
  expect(asked).toEqual(['name', 'name', 'count', 'sure', 'sure'])
  stdin.end()
})

it('a line that was asked for is an answer, others are not', async () => {
  const stdin = new PassThrough()
  const stderr = new PassThrough()
  stderr.resume()
  const others: string[] = []
  const lines = openLines({ stdin, stderr } as unknown as World, {
    onInterrupt: () => undefined,
    onLine: (line) => others.push(line),
  })
  const asked = lines.ask('? ', new AbortController().signal)
  stdin.write('mine\n')
  expect(await asked).toBe('mine')
  const ended = new Promise<void>((resolve) => stdin.once('end', resolve))
  stdin.end('a prompt\n')
  await ended
  await new Promise((resolve) => setImmediate(resolve))
  expect(others).toEqual(['a prompt'])
})
