import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'

interface Props {
  readonly list: {
    readonly hasNextPage: boolean
    readonly isFetchingNextPage: boolean
    readonly fetchNextPage: () => Promise<unknown>
  }
}

/** The button that loads the next page of a list, while there is one. */
export function OlderButton({ list }: Props) {
  if (!list.hasNextPage) return null
  return (
    <Button className="quiet diff-more" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {list.isFetchingNextPage ? texts.timeline.loadingOlder : texts.timeline.older}
    </Button>
  )
}
