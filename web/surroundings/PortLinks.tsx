import { useQuery } from '@tanstack/react-query'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'

/** What the programs of a project's place show. The links lead over the login to an origin of its own for each. */
export function PortLinks({ project, stamp }: { project: string; stamp: string }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const { data } = useQuery({
    queryKey: ['ports', workspace, project, stamp],
    queryFn: () => page.call('ports.list', { workspace, project }),
    placeholderData: (before) => before,
  })
  if (!data || data.ports.length === 0) return null
  return (
    <ul className="port-links" aria-label={texts.surroundings.ports}>
      {data.ports.map(({ name, port, preview, listening, apart }) => (
        <li key={name}>
          {apart ? (
            texts.surroundings.port(name, port)
          ) : (
            <a href={`/preview/${preview}`} target="_blank" rel="noreferrer">
              {texts.surroundings.port(name, port)}
            </a>
          )}{' '}
          <span className="faint">
            {apart ? texts.surroundings.apart : listening ? texts.surroundings.listening : texts.surroundings.silent}
          </span>
        </li>
      ))}
    </ul>
  )
}
