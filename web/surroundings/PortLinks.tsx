import { useQuery } from '@tanstack/react-query'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'

/** Where the programs of a project's place listen. They are on the server's machine, and so are the links. */
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
      {data.ports.map(({ name, port, listening }) => (
        <li key={name}>
          <a href={`http://127.0.0.1:${port}/`} target="_blank" rel="noreferrer">
            {texts.surroundings.port(name, port)}
          </a>{' '}
          <span className="faint">{listening ? texts.surroundings.listening : texts.surroundings.silent}</span>
        </li>
      ))}
    </ul>
  )
}
