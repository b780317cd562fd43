import { describe, expect, it } from 'vitest'
import { globMatches } from '../../../src/model/glob.ts'
import type { Question } from '../../../src/model/interaction.ts'
import { decide, type Rule } from '../../../src/model/rules.ts'
import { interaction, permission, rule } from '../../../test/support/session-log.ts'
import { texts } from '../../texts/texts.ts'
import { offersFor } from './rule-offers.ts'

const ROOT = '/home/ada/garden'
const question = (more: Partial<Question>): Question => ({ ...permission, command: null, ...more })
const ruleOf = (offer: { rule: object }): Rule =>
  ({
    id: rule(1),
    workspace: 'default',
    space: null,
    action: 'allow',
    agent: null,
    toolKind: null,
    path: null,
    command: null,
    createdAt: 1,
    ...offer.rule,
  }) as Rule
const decided = (by: Rule, asked: Question) =>
  decide([by], { space: interaction(1), folder: ROOT, agent: 'scripted', question: asked }, globMatches) !== null

describe('rules offered from a question', () => {
  const asked = [
    question({ command: 'npm test' }),
    question({ toolKind: 'edit', paths: [`${ROOT}/beds/north.txt`] }),
    question({ toolKind: 'edit', paths: [`${ROOT}/a.txt`, `${ROOT}/b.txt`] }),
    question({ toolKind: 'fetch' }),
  ]

  it('each would have answered its question', () => {
    for (const one of asked) {
      const offers = offersFor(one, ROOT)
      expect(offers.length).toBeGreaterThan(0)
      for (const offer of offers) expect(decided(ruleOf(offer), one), offer.label).toBe(true)
    }
  })

  it('none answers for another command, another kind or a file outside of the Space', () => {
    const [command, file] = asked.map((one) => ruleOf(offersFor(one, ROOT)[0]!))
    expect(decided(command!, question({ command: 'npm test && rm -rf /' }))).toBe(false)
    expect(decided(file!, question({ toolKind: 'delete', paths: [`${ROOT}/beds/north.txt`] }))).toBe(false)
    expect(decided(file!, question({ toolKind: 'edit', paths: [`${ROOT}/beds/south.txt`] }))).toBe(false)
    const any = ruleOf(offersFor(asked[2]!, ROOT).at(-1)!)
    expect(decided(any, question({ toolKind: 'edit', paths: ['/etc/passwd'] }))).toBe(false)
  })

  it('nothing is offered where a rule would be wider than its words', () => {
    expect(offersFor(question({ command: 'rm *.txt' }), ROOT)).toEqual([])
    expect(offersFor(question({ toolKind: 'edit', paths: ['/etc/passwd'] }), ROOT)).toEqual([])
    expect(offersFor(question({ toolKind: 'edit', paths: [`${ROOT}/../x`] }), ROOT)).toEqual([])
    expect(offersFor(question({ toolKind: 'execute' }), ROOT)).toEqual([])
    const odd = offersFor(question({ toolKind: 'edit', paths: [`${ROOT}/[id]/page.ts`] }), ROOT)
    expect(odd.map((offer) => offer.rule.path)).toEqual(['**'])
  })

  it('the sentence of a rule has its scope', () => {
    expect(texts.rules.sentence(ruleOf({ rule: { command: 'npm test' } }), 'Garden')).toBe(
      'Allow the command npm test in Garden',
    )
    expect(texts.rules.sentence(ruleOf({ rule: { toolKind: 'edit', path: '**' } }), null)).toBe(
      'Allow editing any file in all Spaces',
    )
  })
})
