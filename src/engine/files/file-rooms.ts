import type { History } from '../../host/history/history.ts'
import type { Places } from '../../host/places/place.ts'
import type { Basics } from '../basics.ts'
import type { PlaceActivities } from './place-activities.ts'
import type { PlaceBuilder } from './place-builder.ts'
import type { ProjectPlaces } from './project-places.ts'
import type { SpaceLocks } from './space-locks.ts'

export interface FileRooms {
  /** The history of files in this node's places. Its thread starts with the first place that is opened. */
  readonly history: () => Promise<History>
  readonly places: () => Promise<Places>
  readonly projectPlaces: ProjectPlaces
  readonly activities: PlaceActivities
  readonly spaceLocks: SpaceLocks
  readonly placeBuilder: PlaceBuilder
  /** Starts the work that goes on without a request. Call it once. */
  startFiles(): void
}

export interface FilesContext extends Basics, FileRooms {}
