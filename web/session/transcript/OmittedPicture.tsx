import { useQuery } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext } from 'react'
import { usePage } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { useSession } from '../session-context.ts'
import { type PictureDescription, readPicture } from './omitted-picture.ts'

const ItemContext = createContext<{ readonly n: number; readonly seq: number } | null>(null)

/** Lets content of an item read omitted pictures from the log. */
export function OfItem({ item: { n, seq }, children }: { item: { n: number; seq: number }; children: ReactNode }) {
  return <ItemContext value={{ n, seq }}>{children}</ItemContext>
}

/** A picture that is too large for its item, read from the log. Its space is reserved: nothing below it moves. */
export function OmittedPicture({ picture, alt }: { picture: PictureDescription; alt: string }) {
  const page = usePage()
  const { session, workspace } = useSession()
  const at = useContext(ItemContext)
  const { data, isPending } = useQuery({
    queryKey: ['picture', session, at?.n, picture.mimeType, picture.leftOut],
    queryFn: ({ signal }) => (at ? readPicture(page, { workspace, session, ...at }, picture, signal) : null),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  })
  const labels = texts.browser
  if (data) return <img className="block-image left-picture" src={data} alt={alt} />
  return <p className="left-picture dim">{isPending ? labels.loading : labels.lost}</p>
}
