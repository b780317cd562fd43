import { useEffect } from 'react'
import type { Rule } from '../../src/model/rules.ts'
import { useAnswer } from '../data/queries.ts'
import { useWorkspace } from '../data/use-page.ts'

/** A rule and its sentence. */
export interface ListedRule {
  readonly rule: Rule
  readonly sentence: string
}

/** All rules in order of precedence. The stream reports a change; the order comes with a new request. */
export function useRules() {
  const known = useWorkspace().rules
  const asked = useAnswer(['rules'], 'rules.list', {}, { staleTime: 0 })
  const { refetch } = asked
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of a rule replaces this object
  useEffect(() => void refetch(), [known, refetch])
  return asked
}
