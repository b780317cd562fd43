import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Rule } from '../../src/model/rules.ts'
import { usePage, useWorkspace, useWorkspaceId } from '../data/use-page.ts'

/** A rule with its scope in words. */
export interface ListedRule {
  readonly rule: Rule
  readonly words: string
}

/** All rules in the order they are tried. The stream says that they changed; their order is asked for. */
export function useRules() {
  const page = usePage()
  const workspace = useWorkspaceId()
  const known = useWorkspace().rules
  const asked = useQuery({
    queryKey: ['rules', workspace],
    queryFn: () => page.call('rules.list', { workspace }),
    staleTime: 0,
  })
  const { refetch } = asked
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of a rule makes this another object
  useEffect(() => void refetch(), [known, refetch])
  return asked
}
