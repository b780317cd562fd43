import type { SessionData } from '../data/session-data.ts'
import { ADA, ROOT, sessionExample, tail } from './example-log.ts'

const OPTIONS = [
  { id: 'yes', label: 'Allow', kind: 'allow_once' },
  { id: 'always', label: 'Always allow', kind: 'allow_always' },
  { id: 'no', label: 'Reject', kind: 'reject_once' },
]
const permission = (title: string, more: object) => ({ kind: 'permission', title, options: OPTIONS, ...more })

/** Questions of every kind, open and settled, by title. */
export function questionExamples(now: number): Readonly<Record<string, SessionData>> {
  return { 'Open questions': open(now), 'Settled questions': settled(now) }
}

function open(now: number): SessionData {
  const { ask, question, data } = sessionExample(now - 60_000)
  ask('Ask me everything.')
  question(permission('Run npm test', { toolKind: 'execute', command: 'npm test' }), now + 3_600_000)
  question(
    permission('Edit beds/plan.txt', {
      toolKind: 'edit',
      paths: [`${ROOT}/beds/plan.txt`],
      toolCall: {
        content: [{ type: 'diff', path: `${ROOT}/beds/plan.txt`, oldText: 'beans\n', newText: 'beans\nleek\n' }],
      },
    }),
  )
  question(permission('Read two files', { toolKind: 'read', paths: [`${ROOT}/a.txt`, '/etc/hosts'] }))
  question({
    kind: 'choice',
    title: 'Which bed first?',
    body: 'All of them are **dry**.',
    options: [
      { id: 'n', label: 'North' },
      { id: 's', label: 'South, which is the one with the longest name that anybody has ever given to a bed of beans' },
    ],
  })
  question({
    kind: 'form',
    title: 'What shall I order?',
    schema: {
      type: 'object',
      required: ['sort', 'packets'],
      properties: {
        sort: { type: 'string', title: 'Sort', enum: ['Bush bean', 'Broad bean'] },
        packets: { type: 'integer', title: 'Packets', description: 'One is enough for two rows.', minimum: 1 },
        note: { type: 'string', title: 'Note to the shop' },
        organic: { type: 'boolean', title: 'Organic only', default: true },
      },
    },
  })
  question({ kind: 'choice', title: 'A question without an option' })
  return data()
}

function settled(now: number): SessionData {
  const { ask, question, add, end, data } = sessionExample(now - 60_000)
  ask('Ask me what is over.')
  question(permission('Run npm test', { command: 'npm test' }))
  add('interaction.answered', { interaction: `int_${tail(1)}`, answer: { option: 'yes' }, by: ADA })
  question(permission('Delete everything', {}))
  add('interaction.expired', { interaction: `int_${tail(2)}`, answer: { option: 'no' } })
  question({ kind: 'choice', title: 'Nobody was there', options: [] })
  add('interaction.answered', { interaction: `int_${tail(3)}`, answer: { declined: true }, by: ADA })
  question(permission('Not asked any more', {}))
  add('interaction.withdrawn', { interaction: `int_${tail(4)}`, reason: 'The run ended.' })
  end('completed')
  return data()
}
