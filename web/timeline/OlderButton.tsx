import type { UseInfiniteQueryResult } from '@tanstack/react-query'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'

type Paged = Pick<UseInfiniteQueryResult, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'>

/** The button that loads the next page of a list, while there is one. */
export function OlderButton({ list }: { list: Paged }) {
  if (!list.hasNextPage) return null
  return (
    <Button className="quiet diff-more" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {list.isFetchingNextPage ? texts.timeline.loadingOlder : texts.timeline.older}
    </Button>
  )
}
